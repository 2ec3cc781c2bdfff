// Following up: notes, managers, the reminder to a client, and asking Meta; every test runs with and without JavaScript.
import { expect, signIn, synced, test } from './fixtures.ts';
import { accept, businessWhere, people } from './simulator.ts';

test('a note is left, stands in the timeline, and is deleted by its writer', async ({ page }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await page.goto(`/businesses/${business.id}`);
  await page.getByLabel('Note').fill('She will share the delivery WABA first.');
  await page.getByRole('button', { name: 'Add note' }).click();
  const timeline = page.getByRole('region', { name: 'Timeline' });
  await expect(timeline.getByText('She will share the delivery WABA first.')).toBeVisible();
  await expect(timeline.getByText(`${people.accountManager} left a note`)).toBeVisible();
  await timeline.getByRole('button', { name: 'Delete note' }).first().click();
  await expect(page.getByText('She will share the delivery WABA first.')).toHaveCount(0);
  await expect(timeline.getByText(/Deleted by its writer/).first()).toBeVisible();
});

test('businesses are assigned, and listed by their manager', async ({ page }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await page.goto(`/businesses?q=${business.id}`);
  await page.getByRole('checkbox', { name: `Select ${business.name}` }).check();
  await page.getByRole('button', { name: 'Assign…' }).click();
  await page.waitForURL(/\/assign$/);
  await page.getByRole('combobox', { name: 'Manager' }).selectOption({ label: people.admin });
  await page.getByRole('button', { name: /^Assign [0-9,]+ business/ }).click();
  await page.waitForURL(/manager=/);
  await expect(page.locator(`a.name[href="/businesses/${business.id}"]`)).toHaveCount(1);
  await page.getByRole('link', { name: `Remove filter: manager ${people.admin}` }).click();
  await expect(page).not.toHaveURL(/manager=[0-9]/);
  await page.getByText('Filter', { exact: true }).click();
  await page.getByRole('combobox', { name: 'Manager' }).selectOption({ label: people.admin });
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('link', { name: `Remove filter: manager ${people.admin}` })).toBeVisible();
  await expect(page.locator(`a.name[href="/businesses/${business.id}"]`)).toHaveCount(1);
});

test('the reminder comes in three languages, and asking Meta finds that the terms are signed', async ({ page, javaScriptEnabled }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await page.goto(`/businesses/${business.id}`);
  await page.getByRole('button', { name: 'Onboard to MM Lite', exact: true }).click();
  await page.waitForURL(/\/requests\/[^/?]+/);
  await page.getByText('What is copied').click();
  for (const [language, begins] of [['Español', 'Hola:'], ['Português', 'Olá,'], ['English', 'Hello,']] as const) {
    await page.getByRole('link', { name: language, exact: true }).click();
    await expect(page.getByRole('region', { name: 'Reminder text' })).toContainText(begins);
    await expect(page.getByRole('region', { name: 'Reminder text' })).toContainText(business.name);
  }
  await accept(business);
  await page.getByRole('button', { name: 'Check at Meta' }).click();
  await expect(page.getByRole('heading', { name: 'Checked at Meta' })).toBeVisible();
  await expect(async () => {
    await page.reload();
    await expect(page.getByText('Accepted: the terms are signed')).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 30_000 });

  // The server knows the zone from then on, where there is script to tell it.
  const first = await (await page.request.get(page.url())).text();
  expect(/<time[^>]*>\s*[0-9:]+ UTC/.test(first)).toBe(!javaScriptEnabled);
});
