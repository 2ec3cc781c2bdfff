// Every page in its states: accessible in both themes, never wider than its window, plain enough for the strict CSP.
import type { Page } from '@playwright/test';

import { comes, expect, expectAccessible, expectNoOverflow, expectStrictHtml, signIn, synced, test } from './fixtures.ts';
import { accept, businessWhere, lastOnboardingCall, people, planFault, systemToken, type Business } from './simulator.ts';

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
  const { fbtrace_id: trace } = await lastOnboardingCall(bad);
  await expectSound(page, `/support?q=${trace}`);
  await expectSound(page, (await page.getByRole('link', { name: /ink to this answer/ }).getAttribute('href'))!);
  await expectSound(page, `/support?q=${trace}+${good.id}`);
  await expectSound(page, '/support');
  await page.goto('/support/causes');
  await comes(page.getByRole('link', { name: 'App lacks permission' }));
  await expectSound(page, '/support/causes');
  await expectSound(page, (await page.getByRole('link', { name: 'App lacks permission' }).first().getAttribute('href'))!);
  await expectSound(page, '/support?q=AnUnknownTraceIdOfNoCall');
});

test('a business with a note and a manager, the list of that manager, and the way to assign', async ({ page }) => {
  test.slow();
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  const path = `/businesses/${business.id}`;
  await page.goto(path);
  await page.getByLabel('Note').fill('Spoke to Carla, the owner. She will share the delivery WABA first; then we send.');
  await page.getByRole('button', { name: 'Add note' }).click();
  await page.getByText('Assign a manager').click();
  await page.getByRole('combobox', { name: 'Manager' }).selectOption({ label: people.admin });
  await page.getByRole('button', { name: 'Assign', exact: true }).click();
  await expect(page.getByText(`Assigned to ${people.admin}`)).toBeVisible();
  await expectSound(page, path);
  await expectSound(page, '/businesses?manager=none');
  await page.goto('/businesses?manager=none');
  await page.getByRole('checkbox', { name: /^Select / }).nth(1).check();
  await page.getByRole('button', { name: 'Assign…' }).click();
  await page.waitForURL(/\/assign$/);
  await expectSound(page, '/assign');
});

test('the reminder to a client, in each language', async ({ page }) => {
  test.slow();
  await signIn(page, 'accountManager');
  await synced(page);
  const request = await onboard(page, await businessWhere('onboardable'));
  for (const language of ['en', 'pt', 'es']) await expectSound(page, `${request}?reminder=${language}`);
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
  await expectSound(page, '/settings/webhooks');
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
  await expectSound(desk, '/settings/webhooks');
  await context.close();
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto('/settings');
  await page.getByText('Remove token').click();
  await page.getByRole('button', { name: 'Remove the system-user token' }).click();
  await expect(page.getByRole('heading', { name: 'Token removed' })).toBeVisible();
});

test('the team: the audit log, a member, and settings that cannot be used', async ({ page }) => {
  test.slow();
  await signIn(page, 'admin');
  await expectSound(page, '/settings/audit');
  await expectSound(page, '/settings/audit?act=exported&before=1');
  await expectSound(page, '/settings?problem=stalled_days');
  await expectSound(page, '/settings?problem=last_admin');
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto('/settings');
  const more = page.getByRole('link', { name: /^More for/ });
  for (const path of await more.evaluateAll((links) => links.map((link) => link.getAttribute('href')!))) await expectSound(page, path);
});

test('the insights, whole and broken down', async ({ page }) => {
  test.slow();
  await signIn(page, 'admin');
  await synced(page);
  const accepted = await businessWhere('onboardable');
  await onboard(page, accepted);
  await planFault('onboard', 'permission-denied');
  await onboard(page, await businessWhere('onboardable'));
  await accept(accepted);
  await page.goto(`/businesses/${accepted.id}`);
  await page.getByRole('button', { name: 'Check at Meta' }).click();
  await page.waitForURL(/notice=/);
  await page.goto('/insights');
  await comes(page.getByRole('figure', { name: 'Time to acceptance' }).getByText('Show as table'));
  for (const path of ['/insights', '/insights?by=week', '/insights?by=manager&range=7', '/insights?solution=nonsense']) {
    await expectSound(page, path);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto('/insights');
  // What a chart shows can be read: in its name, and row by row.
  for (const [name, row, cell] of [
    ['From request to ready', 'Accepted', /^[1-9]/],
    ['Time to acceptance', 'Median', /\d/],
    ['Errors by cause', /\d/, /^[1-9]/],
    ['Meta’s call limit', /:00/, /%/],
  ] as const) {
    const figure = page.getByRole('figure', { name });
    await expect(figure.getByRole('img')).toHaveAccessibleName(/\d/);
    await figure.getByText('Show as table').click();
    await expect(figure.getByRole('table').first()).toBeVisible();
    const read = figure.getByRole('row').filter({ has: page.getByRole('rowheader', { name: row }) });
    await expect(read.getByRole('cell', { name: cell }).first()).toBeVisible();
  }
});

test('a page that does not exist', async ({ page, watch }) => {
  watch.allow(/status of 404/);
  await signIn(page, 'admin');
  await expectSound(page, '/requests/nothing-here');
});
