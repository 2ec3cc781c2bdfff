// The search over requests, its suggestions and exports, saved views, the palette and single keys.
import type { Page } from '@playwright/test';

import { expect, expectAccessible, expectNoOverflow, expectStrictHtml, signIn, synced, test } from './fixtures.ts';
import { businessWhere, planFault } from './simulator.ts';

const bar = (page: Page) => page.getByLabel('Search requests');
const token = (page: Page, text: string) => page.getByRole('link', { name: `Remove filter: ${text}`, exact: true });

async function onboard(page: Page): Promise<string> {
  const business = await businessWhere('onboardable');
  await page.goto(`/businesses/${business.id}`);
  await page.getByRole('button', { name: 'Onboard to MM Lite', exact: true }).click();
  await page.waitForURL(/\/requests\/[^/?]+/);
  return business.id;
}

test('terms are typed, applied, taken away, and kept in the address', async ({ page }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const good = await onboard(page);
  await planFault('onboard', 'permission-denied');
  const bad = await onboard(page);
  await page.goto('/requests');
  await bar(page).fill(`is:failed by:me ${bad}`);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\?q=/);
  await expect(page.getByRole('row')).toHaveCount(2);
  await expect(bar(page)).toHaveValue(`is:failed by:me ${bad}`);
  await token(page, 'is:failed').click();
  await token(page, bad).click();
  await expect(token(page, 'by:me')).toBeVisible();
  await page.getByRole('navigation', { name: 'Filter by state' }).getByRole('link', { name: /^Failed/ }).click();
  await expect(token(page, 'is:failed')).toBeVisible();
  await expect(page.getByRole('link', { name: /^Failed/ })).toHaveAttribute('aria-current', 'true');
  const csv = await page.request.get(await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href').then((href) => href ?? ''));
  const text = await csv.text();
  expect(text).toContain(bad);
  expect(text).not.toContain(good);
});

test('what cannot be read is said, and what was meant is a link', async ({ page }) => {
  await signIn(page, 'support');
  await page.goto('/requests?q=stat:failed');
  await expect(page.getByText('There is no filter “stat:”.')).toBeVisible();
  await expect(bar(page)).toHaveValue('stat:failed');
  await page.getByRole('link', { name: 'state:failed' }).click();
  await expect(token(page, 'state:failed')).toBeVisible();
});

test('a view is saved, opened, renamed and deleted', async ({ page }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const name = `View ${Math.random().toString(36).slice(2, 8)}`;
  await page.goto('/requests?q=is:failed%20by:me');
  await page.locator('summary', { hasText: 'Saved views' }).click();
  await page.getByLabel('Save this search as').fill(name);
  await page.getByRole('button', { name: 'Save view' }).click();
  await page.goto('/requests');
  await page.locator('summary', { hasText: 'Saved views' }).click();
  await page.getByRole('link', { name }).click();
  await expect(token(page, 'by:me')).toBeVisible();
  await page.goto('/views');
  await page.getByLabel(`Name of ${name}`).fill(`${name} b`);
  await page.getByRole('row').filter({ has: page.getByLabel(`Name of ${name}`) }).getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: `Delete ${name} b` }).click();
  await expect(page.getByRole('link', { name: `${name} b` })).toHaveCount(0);
});

test('without script the palette’s link leads to Look up', async ({ page, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled, 'with script the palette opens in place');
  await signIn(page, 'support');
  await page.getByRole('link', { name: 'Search or paste ID' }).click();
  await expect(page).toHaveURL(/\/support/);
});

test('suggestions are chosen by keyboard', async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'a browser without script suggests nothing');
  await signIn(page, 'accountManager');
  await synced(page);
  await page.goto('/requests');
  const box = page.getByRole('combobox', { name: 'Search requests' });
  await box.click();
  await expect(page.getByRole('option').first()).toBeVisible();
  await box.pressSequentially('is:fa');
  await expect(page.getByRole('option', { name: 'failed', exact: true })).toBeVisible();
  await box.press('ArrowDown');
  await expect(box).toHaveAttribute('aria-activedescendant', 'sg-0');
  await expectAccessible(page);
  await page.setViewportSize({ width: 1280, height: 900 });
  await box.press('Tab');
  await expect(box).toHaveValue('is:failed ');
  await box.pressSequentially('by:tom');
  await expect(page.getByRole('option', { name: /Tomás/ })).toBeVisible();
  await page.getByRole('option', { name: /Tomás/ }).click();
  await expect(box).toHaveValue('is:failed by:"Tomás Lindqvist" ');
  await box.press('Escape');
  await expect(page.getByRole('listbox')).toHaveCount(0);
  await box.press('Enter');
  await expect(token(page, 'is:failed')).toBeVisible();
  await box.fill('');
  await box.click();
  await expect(page.getByRole('option', { name: 'is:failed by:"Tomás Lindqvist"' })).toBeVisible();
});

test('the palette finds a business, an id and a page', async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'the palette needs script');
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: 'Search or paste an ID' });
  await expect(box).toBeFocused();
  await box.fill(business.name);
  await expect(page.getByRole('option').filter({ hasText: business.id })).toBeVisible();
  await expectAccessible(page);
  await page.setViewportSize({ width: 1280, height: 900 });
  await box.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/businesses/${business.id}`));
  await page.getByRole('link', { name: 'Search or paste ID' }).click();
  await expect(page.getByRole('group', { name: 'Recent' }).getByRole('option').first()).toContainText(business.name);
  await box.fill('{"error":{"code":200,"fbtrace_id":"AXsgnV2Cm3ZM"}}');
  await expect(page.getByRole('option', { name: 'Look up what was pasted' })).toBeVisible();
  await box.press('Enter');
  await expect(page).toHaveURL(/\/support\?q=AXsgnV2Cm3ZM/);
  // Things to do come before what is typed is looked up, and do it.
  for (const [typed, theme] of [['dark th', 'dark'], ['of your sys', null]] as const) {
    await expect(async () => {
      await page.keyboard.press('Control+k');
      await expect(box).toBeFocused({ timeout: 500 });
    }).toPass({ timeout: 20_000 });
    await box.fill(typed);
    await expect(page.getByRole('option').first()).toContainText(typed);
    await box.press('Enter');
    if (theme) await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
    else await expect(page.locator('html')).not.toHaveAttribute('data-theme');
  }
  await expect(async () => {
    await page.keyboard.press('Control+k');
    await expect(box).toBeFocused({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await page.keyboard.press('Escape');
  await expect(box).toBeHidden();
});

test('businesses are found by what was noted of them', async ({ page, javaScriptEnabled }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  const words = `Rita decides in ${business.id.slice(-4)} days`;
  await page.goto(`/businesses/${business.id}`);
  await page.getByRole('textbox', { name: 'Note' }).fill(words);
  await page.getByRole('button', { name: 'Add note' }).click();
  await expect(page.getByText(words)).toBeVisible();
  await page.goto('/businesses');
  await page.locator('summary', { hasText: 'Filter' }).click();
  await page.getByRole('textbox', { name: 'Note contains' }).fill(words.toUpperCase());
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/note=RITA/);
  await expect(page.getByRole('row')).toHaveCount(2);
  await expect(page.getByRole('row').nth(1)).toContainText(business.name);
  if (javaScriptEnabled) {
    await expectAccessible(page);
    await page.setViewportSize({ width: 1280, height: 900 });
  }
  await page.getByRole('link', { name: /^Remove filter: note/ }).click();
  await expect(page).toHaveURL(/\/businesses$/);
});

test('a page that never comes to rest comes to life all the same', async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'without script there is no life');
  // As on a machine that is busy: who would wait for rest without a bound waits for ever.
  await page.addInitScript(() => {
    self.requestIdleCallback = (then, options) => {
      if (!options?.timeout) return 0;
      return self.setTimeout(() => then({ didTimeout: true, timeRemaining: () => 0 }), options.timeout);
    };
  });
  await signIn(page, 'accountManager');
  await expect(async () => {
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('combobox', { name: 'Search or paste an ID' })).toBeFocused({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
});

test('single keys go where they say, are silent while typing, and can be switched off', async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'keys need script');
  await signIn(page, 'accountManager');
  await synced(page);
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await expect(page).toHaveURL(/\/requests$/);
  // Keys are heard as soon as the page has come to life.
  await expect(async () => {
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await expectAccessible(page);
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await expect(bar(page)).toBeFocused();
  await page.keyboard.type('gb?');
  await expect(bar(page)).toHaveValue('gb?');
  await expect(page).toHaveURL(/\/requests$/);
  await page.goto('/businesses');
  // What an earlier test of the same member left ticked would be unticked.
  const clear = page.getByRole('button', { name: 'Clear selection' }).first();
  if (await clear.isVisible()) {
    await clear.click();
    await expect(page.getByText(/^[1-9][\d,]* selected$/).first()).toBeHidden();
  }
  await expect(async () => {
    await page.keyboard.press('j');
    await expect(page.getByRole('row').nth(1).getByRole('link').first()).toBeFocused({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await page.keyboard.press('j');
  await expect(page.getByRole('row').nth(2).getByRole('link').first()).toBeFocused();
  await page.keyboard.press('x');
  await expect(page.getByRole('row').nth(2).getByRole('checkbox')).toBeChecked();
  await page.keyboard.press('k');
  await page.keyboard.press('Shift+X');
  await expect(page.getByRole('row').nth(1).getByRole('checkbox')).toBeChecked();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('row').nth(2).getByRole('checkbox')).not.toBeChecked();
  // That page is a new one, too.
  await expect(async () => {
    await page.keyboard.press('j');
    await expect(page.getByRole('row').nth(1).getByRole('link').first()).toBeFocused({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/businesses\/\d+/);
  await page.locator('summary', { hasText: 'Account' }).click();
  await page.getByRole('group', { name: 'Single keys' }).getByRole('button', { name: 'Off' }).click();
  await expect(page.locator('#palette')).not.toHaveAttribute('data-keys');
  const palette = page.getByRole('combobox', { name: 'Search or paste an ID' });
  await expect(async () => {
    await page.keyboard.press('Control+k');
    await expect(palette).toBeFocused({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await page.keyboard.press('Escape');
  await expect(palette).toBeHidden();
  const navigations: string[] = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest()) navigations.push(request.url());
  });
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.keyboard.press('Control+k');
  await expect(palette).toBeFocused();
  // By the time the server has answered this, a page that was asked for before it would have been requested.
  await palette.fill('insights');
  await expect(page.getByRole('option', { name: 'Look up “insights” everywhere' })).toBeVisible();
  expect(navigations).toEqual([]);
});

test('the search in its states looks as it should', async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'looked at with script');
  test.slow();
  await signIn(page, 'admin');
  await synced(page);
  await onboard(page);
  for (const path of ['/requests?q=is:requested%20by:me', '/requests?q=stat:x', '/requests?q=in:calls', '/requests?q=LB-1', '/views']) {
    await page.goto(path);
    await expectStrictHtml(page);
    await expectNoOverflow(page);
    await expectAccessible(page);
  }
});
