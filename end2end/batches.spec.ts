// Thousands at once, as an account manager does it: tick, look, start, follow, retry, download; with and without JavaScript.
import type { Page } from '@playwright/test';

import { comes, expect, expectAccessible, expectNoOverflow, expectStrictHtml, signIn, synced, test } from './fixtures.ts';
import { agreementsOf, businessWhere, planFault } from './simulator.ts';

const bar = (page: Page) => page.getByRole('group', { name: 'Selected businesses' });

async function clearSelection(page: Page): Promise<void> {
  await page.goto('/businesses');
  // With script there is no bar while nothing is ticked.
  if (!(await bar(page).isVisible()) || (await bar(page).getByText('0 selected', { exact: true }).isVisible())) return;
  await bar(page).getByRole('button', { name: 'Clear selection' }).click();
  await expect(bar(page).getByText(/^[1-9][\d,]* selected$/)).toBeHidden();
}

/** Fills in what the page that starts a batch asks for, and presses its button; ends on the batch. */
async function start(page: Page, name: string): Promise<number> {
  await expect(page.getByRole('heading', { name: /^Onboard [\d,]+ business(es)? to MM Lite\?$/, level: 1 })).toBeVisible();
  await page.getByRole('textbox', { name: 'Batch name' }).fill(name);
  await expect(page.getByRole('combobox', { name: 'Solution', exact: true })).toHaveValue('');
  const send = page.getByRole('button', { name: /^Send [\d,]+ requests?$/ });
  const requests = Number((await send.textContent())!.replace(/\D/g, ''));
  const confirm = page.getByRole('textbox', { name: `Type ${requests} to confirm` });
  if (requests > 100) await confirm.fill(String(requests));
  await send.click();
  await page.waitForURL(/\/batches\/\d+/);
  return requests;
}

test('all that match a search become a batch, whose failures are retried and whose results are downloaded', async ({ page, javaScriptEnabled }) => {
  test.slow();
  await signIn(page, 'accountManager');
  await synced(page);
  await clearSelection(page);
  const business = await businessWhere('onboardable');
  await page.goto(`/businesses?status=eligible&q=${encodeURIComponent(business.name.split(' ')[0]!)}`);
  const listed = (await page.locator('a.name').first().getAttribute('href'))!.split('/').pop()!;
  // With script the bar comes with the first tick.
  if (javaScriptEnabled) await page.locator('#tick-all').check();
  await bar(page).getByRole('button', { name: /^Select all .*that match$/ }).click();
  await expect(bar(page).getByText(/^[1-9][\d,]* selected$/)).toBeVisible();
  await bar(page).getByRole('button', { name: 'Onboard to MM Lite…', exact: true }).click();
  await page.waitForURL(/\/drafts\/\d+/);

  await planFault('onboard', 'permission-denied');
  const requests = await start(page, 'All that match');
  await comes(page.getByText(new RegExp(`${requests} of ${requests} answered`)));
  await comes(page.getByRole('button', { name: /^Retry/ }));
  await page.getByRole('button', { name: /^Retry/ }).first().click();
  await page.waitForURL(/\/batches\/\d+/);
  await comes(page.getByText('1 of 1 answered'));
  expect(await agreementsOf({ ...business, id: listed })).toHaveLength(1);

  const results = page.getByRole('link', { name: 'Download results (CSV)' });
  const [download] = await Promise.all([page.waitForEvent('download'), results.click()]);
  expect(download.suggestedFilename()).toMatch(/\.csv$/);
});

test('ticks are kept across pages, searches and reloads', async ({ page, javaScriptEnabled }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  await clearSelection(page);
  await page.goto('/businesses?status=eligible');
  const boxes = page.getByRole('checkbox', { name: /^Select (?!all )/ });
  const keep = async () => {
    if (!javaScriptEnabled) await bar(page).getByRole('button', { name: 'Keep ticks' }).click();
  };
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await keep();
  await expect(bar(page).getByText('2 selected')).toBeVisible();
  const next = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Next' });
  if ((await next.getAttribute('href')) !== null) {
    await next.click();
    await page.waitForURL(/after=/);
    await boxes.nth(0).check();
    await keep();
    await expect(bar(page).getByText('3 selected')).toBeVisible();
  }
  await page.goto('/businesses?status=eligible');
  await expect(boxes.nth(0)).toBeChecked();
  await boxes.nth(0).uncheck();
  await keep();
  await expect(bar(page).getByText(/^[12] selected$/)).toBeVisible();
  await page.reload();
  await expect(boxes.nth(0)).not.toBeChecked();
  await expect(boxes.nth(1)).toBeChecked();
  await clearSelection(page);
});

test('a range is ticked with Shift', async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'a form has no ranges');
  await signIn(page, 'accountManager');
  await synced(page);
  await clearSelection(page);
  const boxes = page.getByRole('checkbox', { name: /^Select (?!all )/ });
  await boxes.nth(1).click();
  await boxes.nth(4).click({ modifiers: ['Shift'] });
  await expect(bar(page).getByText('4 selected')).toBeVisible();
  await clearSelection(page);
});

test('a list is checked row by row, corrected in place, and started', async ({ page }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await page.goto('/businesses');
  await page.getByRole('link', { name: 'Import CSV…' }).click();
  const list = `business_id\n2.21076E+15\n${business.id}\n${business.wabas[0]!.id}\nOakhaven\n`;
  await page.getByLabel('CSV file').setInputFiles({ name: 'november-wave.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });
  await page.getByRole('button', { name: 'Check the list' }).click();
  await expect(page.getByRole('heading', { name: 'Check the file before sending', level: 1 })).toBeVisible();
  await expect(page.getByText('1 of 4 rows')).toBeVisible();
  await expect(page.getByText(/A spreadsheet rounded this number/)).toBeVisible();
  await page.getByRole('textbox', { name: 'Business ID for row 5' }).fill('905127736481199');
  await page.getByRole('button', { name: 'Save and check again' }).click();
  await expect(page.getByText(/None of your synced businesses has this ID/)).toBeVisible();
  const problems = page.getByRole('link', { name: 'Problem rows (CSV)' });
  const [download] = await Promise.all([page.waitForEvent('download'), problems.click()]);
  expect(download.suggestedFilename()).toMatch(/^problem-rows-\d+\.csv$/);
  await page.getByRole('button', { name: 'Continue with 1…' }).click();
  expect(await start(page, 'November wave')).toBe(1);
  await expect(async () => expect(await agreementsOf(business)).toHaveLength(1)).toPass();
});

test('the pages of a draft are sound', async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'looked at with script');
  test.slow();
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await page.goto('/import');
  await page.getByLabel('Or paste business IDs').fill(`${business.id}\n${business.id}\n${business.wabas[0]!.id}\n1.02E+15\n905127736481199\n`);
  await page.getByRole('button', { name: 'Check the list' }).click();
  await page.waitForURL(/\/drafts\/\d+\/rows/);
  const rows = new URL(page.url()).pathname;
  const paths = ['/import', '/import?problem=list_no_ids', rows, `${rows}?finding=all`, rows.replace('/rows', '')];
  for (const path of paths) {
    await page.goto(path);
    await expect(page.getByRole('main')).toBeVisible();
    await expectStrictHtml(page);
    await expectNoOverflow(page);
    await expectAccessible(page);
  }
  await page.getByRole('button', { name: 'Throw this draft away' }).click();
  await page.waitForURL(/\/businesses/);
});
