// The support desk: an id or a pasted text leads to what is known of it; every test runs with and without JavaScript.
import { comes, expect, signIn, synced, test } from './fixtures.ts';
import { businessWhere, lastOnboardingCall, planFault } from './simulator.ts';

test('a refused call is found by its trace id, inside a log, and by the link to it', async ({ page, browser, watch, javaScriptEnabled }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await planFault('onboard', 'permission-denied');
  await page.goto(`/businesses/${business.id}`);
  await page.getByRole('button', { name: 'Onboard to MM Lite', exact: true }).click();
  await page.waitForURL(/\/requests\/[^/?]+/);
  const call = await lastOnboardingCall(business);

  await page.goto('/support');
  const box = page.getByRole('searchbox', { name: 'Look up', exact: true });
  await box.fill(`{"error":{"message":"(#200) No","code":200,"fbtrace_id":"${call.fbtrace_id}"}}`);
  await box.press('Enter');
  await expect(page.getByText('Read as a Graph error. Found by its fbtrace_id')).toBeVisible();
  await expect(page.getByRole('heading', { name: /Meta refused to onboard/, level: 2 })).toBeVisible();
  for (const heading of ['What to do', 'What to tell the client', 'The whole story', 'Same error today']) {
    await expect(page.getByRole('heading', { name: new RegExp(`^${heading}`) })).toBeVisible();
  }

  await page.goto('/support');
  await box.fill(`${'10:20 INFO nothing to see '.repeat(20_000)} 10:21 WARN fbtrace_id=${call.fbtrace_id} refused`);
  await box.press('Enter');
  await expect(page.getByText(/Read as a log or another text, 5\d\d,\d{3} characters\. Found by its fbtrace_id/)).toBeVisible();
  expect(page.url().length).toBeLessThan(500);

  // What is copied can be read, and selected where nothing can be copied.
  await page.getByText('The call as cURL').click();
  await expect(page.getByRole('region', { name: 'The call as a cURL command' })).toContainText('Bearer $ACCESS_TOKEN');
  await page.getByText('What is copied for Meta').click();
  await expect(page.getByRole('region', { name: 'Text for Meta Direct Support' })).toContainText(call.fbtrace_id);
  const copy = page.getByRole('button', { name: 'Copy for Meta Direct Support' });
  if (javaScriptEnabled) await expect(copy).toBeVisible();
  else await expect(copy).toBeHidden();

  const link = await page.getByRole('link', { name: /ink to this answer/ }).getAttribute('href');
  expect(link).toMatch(/^\/support\/calls\/\d+$/);
  const colleague = await browser.newContext({ javaScriptEnabled });
  watch.over(colleague);
  const desk = await colleague.newPage();
  await signIn(desk, 'support');
  await desk.goto(link!);
  await expect(desk.getByRole('heading', { name: /Meta refused to onboard/, level: 2 })).toBeVisible();
  await colleague.close();

  const rivals = await browser.newContext({ javaScriptEnabled });
  watch.over(rivals);
  watch.allow(/status of 404/);
  const rival = await rivals.newPage();
  await signIn(rival, 'rival');
  expect((await rival.goto(link!))?.status()).toBe(404);
  await rivals.close();

  await page.goto('/support');
  await expect(page.getByRole('heading', { name: 'Your recent look-ups' })).toBeVisible();
  await expect(page.getByRole('link', { name: call.fbtrace_id })).toBeVisible();
});

test('failures are grouped by cause and lead to their requests', async ({ page }) => {
  await signIn(page, 'accountManager');
  await synced(page);
  const business = await businessWhere('onboardable');
  await planFault('onboard', 'not-found');
  await page.goto(`/businesses/${business.id}`);
  await page.getByRole('button', { name: 'Onboard to MM Lite', exact: true }).click();
  await page.waitForURL(/\/requests\/[^/?]+/);
  const request = new URL(page.url()).pathname;

  await page.goto('/support/causes');
  const cause = page.getByRole('link', { name: 'Not found, or no access' });
  await comes(cause);
  await cause.first().click();
  await expect(page.getByRole('heading', { name: 'Not found, or no access', level: 1 })).toBeVisible();
  await comes(page.locator(`a[href="${request}"]`));
});

test('what nobody knows says where we looked', async ({ page }) => {
  await signIn(page, 'support');
  await page.goto('/support');
  const box = page.getByRole('searchbox', { name: 'Look up', exact: true });
  await box.fill('AnUnknownTraceIdOfNoCall1');
  await box.press('Enter');
  await expect(page.getByRole('heading', { name: 'Nothing known about AnUnknownTraceIdOfNoCall1' })).toBeVisible();
  await expect(page.getByText(/We looked among/)).toBeVisible();
  await box.fill('no such business at all');
  await box.press('Enter');
  await expect(page.getByText('Read as a name')).toBeVisible();
});
