// An admin looks after the team and its sessions; every test runs with and without JavaScript.
import type { Browser, Page } from '@playwright/test';

import { consent, expect, signIn, synced, test, type Watch } from './fixtures.ts';
import { businessWhere, people, type Person } from './simulator.ts';

/** Somebody else at a desk of their own. */
async function at(browser: Browser, watch: Watch, person: Person, javaScriptEnabled: boolean): Promise<Page> {
  const context = await browser.newContext({ javaScriptEnabled });
  watch.over(context);
  const page = await context.newPage();
  await signIn(page, person);
  return page;
}

const rowOf = (page: Page, person: Person) => page.getByRole('region', { name: 'Team' }).getByRole('row', { name: people[person] });

async function giveRole(page: Page, person: Person, role: string): Promise<void> {
  await page.goto('/settings');
  await page.getByRole('combobox', { name: `Role of ${people[person]}` }).selectOption(role);
  await page.getByRole('button', { name: `Change role of ${people[person]}` }).click();
  await expect(page.getByRole('heading', { name: 'Role changed' })).toBeVisible();
}

test('a role is changed, and the last admin keeps theirs', async ({ page, browser, watch, javaScriptEnabled }) => {
  watch.allow(/status of 403/);
  await signIn(page, 'admin');
  const desk = await at(browser, watch, 'accountManager', javaScriptEnabled!);
  await desk.goto('/import');
  await expect(desk.getByRole('button', { name: 'Check the list' })).toBeVisible();
  await giveRole(page, 'accountManager', 'Support');
  await desk.goto('/import');
  await expect(desk.getByRole('button', { name: 'Check the list' })).toBeHidden();
  await giveRole(page, 'accountManager', 'Account manager');
  await expect(rowOf(page, 'admin')).toContainText('(the only one)');
  await rowOf(page, 'admin').getByRole('link', { name: /^More for/ }).click();
  await expect(page.getByText('They are the only admin who has signed in')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Remove yourself' })).toBeHidden();
  await desk.context().close();
});

test('a session is ended from another browser', async ({ page, browser, watch, javaScriptEnabled }) => {
  await signIn(page, 'admin');
  const other = await at(browser, watch, 'admin', javaScriptEnabled!);
  await page.goto('/settings#sessions');
  const sessions = page.getByRole('region', { name: 'Your sessions' });
  await expect(sessions.getByText('This session')).toHaveCount(1);
  await sessions.getByRole('button', { name: /^End session/ }).first().click();
  await expect(page.getByRole('heading', { name: 'Session ended' })).toBeVisible();
  if (await sessions.getByRole('button', { name: 'End all others' }).isVisible()) {
    await sessions.getByRole('button', { name: 'End all others' }).click();
    await expect(page.getByRole('heading', { name: 'Sessions ended' })).toBeVisible();
  }
  await other.goto('/settings');
  await expect(other).toHaveURL(/\/sign-in\?problem=session_ended/);
  await page.goto('/settings');
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible();
  await other.context().close();
});

test('what was typed is in the form again after the session was ended', async ({ page, browser, watch, javaScriptEnabled }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const { id } = await businessWhere('onboardable');
  await page.goto(`/businesses/${id}`);
  await page.getByLabel('Note').fill('Ring </textarea> Ana & Rui\non Tuesday');
  const other = await at(browser, watch, 'accountManager', javaScriptEnabled!);
  await other.goto('/settings#sessions');
  await other.getByRole('button', { name: 'End all others' }).click();
  await expect(other.getByRole('heading', { name: 'Sessions ended' })).toBeVisible();
  await page.getByRole('button', { name: 'Add note' }).click();
  await expect(page).toHaveURL(/\/sign-in\?problem=session_ended/);
  await consent(page, 'accountManager');
  await page.waitForURL(new RegExp(`/businesses/${id}(#|$)`));
  await expect(page.getByRole('heading', { name: 'What you entered is in the form again' })).toBeVisible();
  await expect(page.getByLabel('Note')).toHaveValue('Ring </textarea> Ana & Rui\non Tuesday');
  await page.getByRole('button', { name: 'Add note' }).click();
  await expect(page.getByText('on Tuesday').first()).toBeVisible();
  await expect(page.getByLabel('Note')).toHaveValue('');
  await other.context().close();
});

test('a colleague is removed and let back in', async ({ page, browser, watch, javaScriptEnabled }) => {
  await signIn(page, 'admin');
  const desk = await at(browser, watch, 'support', javaScriptEnabled!);
  await page.goto('/settings');
  await rowOf(page, 'support').getByRole('link', { name: /^More for/ }).click();
  await expect(page.getByRole('heading', { name: people.support, level: 1 })).toBeVisible();
  await page.getByRole('button', { name: 'Remove from the team' }).click();
  await expect(page.getByRole('heading', { name: 'Member removed' })).toBeVisible();
  await desk.goto('/businesses');
  await expect(desk).toHaveURL(/\/sign-in/);
  await rowOf(page, 'support').getByRole('link', { name: /^More for/ }).click();
  await page.getByRole('button', { name: 'Let back in' }).click();
  await expect(page.getByRole('heading', { name: 'Member let back in' })).toBeVisible();
  await signIn(desk, 'support');
  await desk.context().close();
});

test('settings are saved, and what cannot be used is told at its field', async ({ page }) => {
  await signIn(page, 'admin');
  await page.goto('/settings#requests');
  const days = page.getByRole('spinbutton', { name: 'Days until a request is stalled' });
  await days.fill('91');
  await page.getByRole('button', { name: 'Save settings' }).click();
  await expect(days).toHaveAttribute('aria-invalid', 'true');
  await days.fill('10');
  await page.getByRole('button', { name: 'Save settings' }).click();
  await expect(page.getByRole('heading', { name: 'Saved' })).toBeVisible();
  await expect(days).toHaveValue('10');
  await days.fill('7');
  await page.getByRole('button', { name: 'Save settings' }).click();
  await expect(days).toHaveValue('7');
});

test('the theme is chosen in the settings, too', async ({ page }) => {
  await signIn(page, 'admin');
  await page.goto('/settings#you');
  const themes = page.getByRole('region', { name: 'Appearance and keys' });
  await themes.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await themes.getByRole('button', { name: 'System' }).click();
  await expect(page.locator('html')).not.toHaveAttribute('data-theme');
});

test('the audit log is filtered and downloaded', async ({ page }) => {
  await signIn(page, 'admin');
  await page.goto('/settings');
  await page.getByRole('link', { name: 'See the whole log' }).click();
  await expect(page.getByRole('heading', { name: 'Audit log', level: 1 })).toBeVisible();
  await page.getByRole('combobox', { name: 'Who' }).selectOption(people.admin);
  await page.getByRole('combobox', { name: 'What' }).selectOption('Signed in');
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page).toHaveURL(/act=signed_in/);
  await expect(page.getByRole('row', { name: /^Signed in/ }).first()).toContainText('Chrome on');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download log (CSV)' }).click()]);
  expect(download.suggestedFilename()).toBe('audit-log.csv');
});
