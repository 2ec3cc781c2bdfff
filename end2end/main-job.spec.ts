// The main job, from sign-in to the look-up, as each person does it; every test runs with and without JavaScript.
import type { Page } from '@playwright/test';

import { comes, control, expect, signIn, synced, test } from './fixtures.ts';
import { agreementsOf, businessWhere, harbourReach, lastOnboardingCall, planFault, type Business } from './simulator.ts';

const onboardButton = (page: Page) => page.getByRole('button', { name: 'Onboard to MM Lite', exact: true });

/** Opens a business by its id and presses the button; ends on the page of the request. */
async function onboard(page: Page, business: Business): Promise<void> {
  await page.goto(`/businesses/${business.id}`);
  await onboardButton(page).click();
  await page.waitForURL(/\/requests\/[^/?]+/);
}

test('signing in starts the first sync, and the page says when it is done', async ({ page }) => {
  await signIn(page, 'admin');
  await comes(page.getByText(/Syncing|Last synced/));
  await comes(page.getByText(/Last synced/));
  await expect(page.getByRole('row')).not.toHaveCount(0);
});

test('a business is found, onboarded, and its request found again', async ({ page, javaScriptEnabled }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');

  const search = page.getByRole('searchbox', { name: 'Search businesses' });
  await search.fill(business.name);
  if (!javaScriptEnabled) await search.press('Enter');
  await expect(page).toHaveURL(/[?&]q=./);
  await page.locator(`a[href="/businesses/${business.id}"]`).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(business.name);

  await expect(page.getByRole('combobox', { name: 'Solution', exact: true })).toHaveValue('');
  await onboardButton(page).click();
  await page.waitForURL(/\/requests\/[^/?]+/);
  const [agreement] = await agreementsOf(business);
  expect(agreement).toBeDefined();
  await expect(page.getByText(agreement!.request_id).filter({ visible: true }).first()).toBeVisible();
  await expect(page.getByText('Requested', { exact: true }).first()).toBeVisible();

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Requests/ }).click();
  await expect(page.getByRole('heading', { name: 'Requests', level: 1 })).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: agreement!.request_id })).toHaveCount(1);
});

test('the chosen solution goes to Meta, and unusable ones say why', async ({ page }) => {
  await signIn(page, 'admin');
  await synced(page);
  const business = await businessWhere('onboardable');
  await page.goto(`/businesses/${business.id}`);
  const solution = page.getByRole('combobox', { name: 'Solution', exact: true });
  await expect(solution.getByRole('option', { name: /Old Messaging Suite/ })).toBeDisabled();
  await expect(solution.getByRole('option', { name: /Old Messaging Suite.*deactivated/i })).toHaveCount(1);
  await solution.selectOption({ label: 'Northlane Loyalty' });
  await onboardButton(page).click();
  await page.waitForURL(/\/requests\/[^/?]+/);
  await expect(page.getByText('Northlane Loyalty').first()).toBeVisible();
  expect((await agreementsOf(business)).map((agreement) => agreement.solution_id)).toEqual(['19702253086702']);
});

test('a refusal is explained in words, with its code and trace id', async ({ page }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await planFault('onboard', 'permission-denied');
  await onboard(page, business);
  const call = await lastOnboardingCall(business);
  await expect(page.getByRole('heading', { name: /Meta refused/ })).toBeVisible();
  await expect(page.getByText(call.fbtrace_id).filter({ visible: true }).first()).toBeVisible();
  const codes = call.subcode === null ? String(call.code) : `${call.code} / ${call.subcode}`;
  await expect(page.getByText(codes).filter({ visible: true }).first()).toBeVisible();
  await expect(page.getByText('Failed', { exact: true }).first()).toBeVisible();
});

test('a double click makes one request', async ({ page }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await page.goto(`/businesses/${business.id}`);
  await onboardButton(page).dblclick();
  await page.waitForURL(/\/requests\/[^/?]+/);
  const [agreement] = await agreementsOf(business);
  expect(agreement?.asked).toBe(1);
  await page.goto('/requests');
  await expect(page.getByRole('row').filter({ hasText: agreement!.request_id })).toHaveCount(1);
});

test('the same page open in two tabs makes one request', async ({ page, context }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  const other = await context.newPage();
  for (const tab of [page, other]) await tab.goto(`/businesses/${business.id}`);
  for (const tab of [page, other]) {
    await onboardButton(tab).click();
    await tab.waitForURL(/\/requests\/[^/?]+/);
  }
  // The second click is told that a request stood already.
  expect(new URL(other.url()).pathname).toBe(new URL(page.url()).pathname);
  expect((await agreementsOf(business)).map((agreement) => agreement.asked)).toEqual([1]);
});

test('support may look and look up, but not onboard', async ({ page, browser, watch, javaScriptEnabled }) => {
  const manager = await browser.newContext({ javaScriptEnabled });
  watch.over(manager);
  const desk = await manager.newPage();
  await signIn(desk, 'accountManager');
  await synced(desk);
  const business = await businessWhere('onboardable');
  await onboard(desk, business);
  await manager.close();
  const [agreement] = await agreementsOf(business);
  const call = await lastOnboardingCall(business);

  await signIn(page, 'support');
  const untouched = await businessWhere('onboardable');
  await page.goto(`/businesses/${untouched.id}`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(untouched.name);
  await expect(onboardButton(page)).toHaveCount(0);

  for (const wanted of [call.fbtrace_id, agreement!.request_id, business.id, business.wabas[0]!.id]) {
    await page.goto('/support');
    const search = page.getByRole('searchbox', { name: 'Look up', exact: true });
    await search.fill(wanted);
    await search.press('Enter');
    await expect(page.getByText(business.name).first(), `looked up ${wanted}`).toBeVisible();
  }
});

test("another partner's business and request are not there", async ({ page, browser, watch, javaScriptEnabled }) => {
  const manager = await browser.newContext({ javaScriptEnabled });
  watch.over(manager);
  const desk = await manager.newPage();
  await signIn(desk, 'accountManager');
  await synced(desk);
  const business = await businessWhere('onboardable');
  await onboard(desk, business);
  const request = new URL(desk.url()).pathname;
  await manager.close();

  watch.allow(/status of 404/);
  await signIn(page, 'rival');
  await synced(page);
  for (const path of [`/businesses/${business.id}`, request]) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(404);
    await expect(page.getByText('This page does not exist, or is not yours to see.')).toBeVisible();
    expect(await page.content()).not.toContain(business.name);
  }
  const own = await businessWhere('onboardable', harbourReach);
  expect((await page.goto(`/businesses/${own.id}`))?.status()).toBe(200);
});

test('cancelling at Facebook leads back to the sign-in page, which says so', async ({ page }) => {
  await page.goto('/sign-in');
  await control(page, 'Sign in with Facebook').click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForURL(/\/sign-in/);
  await expect(page.getByText(/cancelled/i).first()).toBeVisible();
  await expect(control(page, 'Sign in with Facebook')).toBeVisible();
});
