// Every page in its states: accessible in both themes, never wider than its window, plain enough for the strict CSP.
import type { Page } from '@playwright/test';

import { comes, expect, expectAccessible, expectNoOverflow, expectStrictHtml, signIn, synced, test } from './fixtures.ts';
import { businessWhere, lastOnboardingCall, planFault, systemToken, type Business } from './simulator.ts';

async function expectSound(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole('main')).toBeVisible();
  await expectStrictHtml(page);
  await expectNoOverflow(page);
  await expectAccessible(page);
}

async function onboard(page: Page, business: Business): Promise<string> {
  await page.goto(`/businesses/${business.id}`);
  await page.getByRole('button', { name: 'Onboard to MM Lite', exact: true }).click();
  await page.waitForURL(/\/requests\/[^/?]+/);
  return new URL(page.url()).pathname;
}

test('the sign-in page', async ({ page }) => {
  await expectSound(page, '/sign-in');
});

test('the businesses', async ({ page }) => {
  test.slow();
  await signIn(page, 'admin');
  await synced(page);
  await expectSound(page, '/businesses');
  await expectSound(page, '/businesses?q=a');
  await expectSound(page, '/businesses?q=no-business-has-this-name');
});

test('one business, in every state before a request', async ({ page }) => {
  test.slow();
  await signIn(page, 'admin');
  await synced(page);
  for (const situation of ['onboardable', 'restricted', 'taken-by-another', 'signed', 'status-unknown']) {
    await expectSound(page, `/businesses/${(await businessWhere(situation)).id}`);
  }
});

test('requests that went well and that failed, and the look-up of both', async ({ page }) => {
  test.slow();
  await signIn(page, 'admin');
  await synced(page);
  const good = await businessWhere('onboardable');
  const requested = await onboard(page, good);
  const bad = await businessWhere('onboardable');
  await planFault('onboard', 'permission-denied');
  const failed = await onboard(page, bad);
  for (const path of [requested, failed, `/businesses/${good.id}`, '/requests', '/support']) await expectSound(page, path);
  await expectSound(page, `/support?q=${(await lastOnboardingCall(bad)).fbtrace_id}`);
  await expectSound(page, '/support?q=AnUnknownTraceIdOfNoCall');
});

test('a business as support sees it', async ({ page }) => {
  await signIn(page, 'support');
  await synced(page);
  await expectSound(page, `/businesses/${(await businessWhere('onboardable')).id}`);
});

test('the settings, without and with a system-user token, and as support sees them', async ({ page, browser, watch }) => {
  test.slow();
  await signIn(page, 'admin');
  await expectSound(page, '/settings');
  await expectSound(page, '/settings?problem=scopes&missing=business_management');
  await page.goto('/settings');
  await page.getByLabel('Token of a system user').fill(await systemToken());
  await page.getByRole('button', { name: 'Check and store' }).click();
  await expectSound(page, page.url());
  const context = await browser.newContext();
  watch.over(context);
  const desk = await context.newPage();
  await signIn(desk, 'support');
  await expectSound(desk, '/settings');
  await context.close();
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto('/settings');
  await page.getByText('Remove token').click();
  await page.getByRole('button', { name: 'Remove the system-user token' }).click();
  await expect(page.getByText('Token removed')).toBeVisible();
});

test('the insights, whole and broken down', async ({ page }) => {
  test.slow();
  await signIn(page, 'admin');
  await synced(page);
  await onboard(page, await businessWhere('onboardable'));
  await planFault('onboard', 'permission-denied');
  await onboard(page, await businessWhere('onboardable'));
  await page.goto('/insights');
  await comes(page.getByRole('figure', { name: 'From request to ready' }));
  for (const path of ['/insights', '/insights?by=week', '/insights?by=manager&range=7', '/insights?solution=nonsense']) {
    await expectSound(page, path);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto('/insights');
  for (const name of ['From request to ready', 'Errors by cause, each week']) {
    const figure = page.getByRole('figure', { name });
    await expect(figure.getByRole('img')).toHaveAccessibleName(/\d/);
    await figure.getByText('Show as table').click();
    await expect(figure.getByRole('table').first()).toBeVisible();
    await expect(figure.getByRole('rowheader').first()).toBeVisible();
  }
});

test('a page that does not exist', async ({ page, watch }) => {
  watch.allow(/status of 404/);
  await signIn(page, 'admin');
  await expectSound(page, '/requests/nothing-here');
});
