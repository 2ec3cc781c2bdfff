// `test` as every spec uses it: a test fails if a browser console has an error, or if a secret shows anywhere.
import { readFileSync } from 'node:fs';

import { test as base, expect, type BrowserContext, type Locator, type Page, type Response } from '@playwright/test';
import axe from 'axe-core';

import { setting } from './playwright.config.ts';
import { clearFaults, people, type Person } from './simulator.ts';

export { expect };

export interface Watch {
  /** Takes an error that the test brings about on purpose as good: a browser logs an error for each 404. */
  allow(message: RegExp): void;
  /** Watches a context that the test opens itself; the one of `page` is watched already. */
  over(context: BrowserContext): void;
}

export const test = base.extend<{ watch: Watch }>({
  watch: [
    async ({ context }, use) => {
      const allowed: RegExp[] = [];
      const errors: string[] = [];
      const leaks: Promise<string | undefined>[] = [];
      const contexts: BrowserContext[] = [];
      const over = (watched: BrowserContext) => {
        contexts.push(watched);
        watched.on('console', (message) => {
          if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
        });
        watched.on('weberror', (error) => errors.push(String(error.error())));
        watched.on('response', (response) => leaks.push(leakIn(response)));
      };
      over(context);
      await use({ allow: (message) => allowed.push(message), over });
      await clearFaults();
      for (const watched of contexts) {
        const kept = JSON.stringify(await watched.storageState().catch(() => ''));
        leaks.push(Promise.resolve(secretIn(kept) ? 'a cookie or the local storage' : undefined));
      }
      leaks.push(Promise.resolve(secretIn(readFileSync(setting('APP_LOG'), 'utf8')) ? "the server's log" : undefined));
      expect.soft((await Promise.all(leaks)).filter(Boolean), 'secrets show in').toEqual([]);
      expect.soft(errors.filter((error) => !allowed.some((pattern) => pattern.test(error))), 'errors in the console').toEqual([]);
    },
    { auto: true },
  ],
});

/** The simulator's tokens begin like Meta's; the other secrets are the settings of the server under test. */
const secrets: (RegExp | string)[] = [
  /EAA[A-Za-z0-9]{20,}/,
  'simulator-app-secret',
  setting('ENCRYPTION_KEY').replace(/^[^:]*:/, ''),
  new URL(setting('DATABASE_URL')).password,
].filter((secret) => secret !== '');

function secretIn(text: string): boolean {
  return secrets.some((secret) => (typeof secret === 'string' ? text.includes(secret) : secret.test(text)));
}

async function leakIn(response: Response): Promise<string | undefined> {
  const address = response.url();
  if (!address.startsWith(setting('BASE_URL'))) return undefined;
  if (secretIn(address)) return 'a URL';
  if (secretIn(JSON.stringify(await response.allHeaders().catch(() => ({}))))) return `the headers of ${address}`;
  // A redirect has no body, and that of a page which was left meanwhile is gone.
  return secretIn(await response.text().catch(() => '')) ? address : undefined;
}

/** Goes through the consent page as one of its people; ends on the list of businesses. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await page.goto('/sign-in');
  await consent(page, person);
  await page.waitForURL(/\/businesses/);
  await expect(page.getByRole('heading', { name: 'Businesses', level: 1 })).toBeVisible();
}

/** Goes through the consent page from where one is; ends on the page one was led away from. */
export async function consent(page: Page, person: Person): Promise<void> {
  await control(page, 'Sign in with Facebook').click();
  await page.getByRole('button', { name: `Continue as ${people[person]}` }).click();
}

/** A button, or a link that looks like one. */
export function control(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true }).or(page.getByRole('link', { name, exact: true }));
}

/** Waits for what the server will show by itself; a browser without JavaScript has to ask again. */
export async function comes(locator: Locator): Promise<void> {
  const page = locator.page();
  await expect(async () => {
    if (!(await locator.first().isVisible())) await page.reload();
    await expect(locator.first()).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 120_000 });
}

/** Waits until the partner's businesses have arrived from the simulator. */
export async function synced(page: Page): Promise<void> {
  await page.goto('/businesses');
  await comes(page.getByText(/Last synced/));
}

/** Looks for accessibility faults in light and dark, on a desk and on a phone. The page takes axe in once, and hands out what is wrong alone. */
export async function expectAccessible(page: Page): Promise<void> {
  const violations: string[] = [];
  await page.evaluate(axe.source);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const found = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ['violations'] });
        return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }));
      });
      violations.push(...found.map(({ id, nodes }) => `${id}, ${colorScheme}, ${width} px: ${nodes.join(' ')}`));
    }
  }
  expect.soft(violations, `accessibility of ${page.url()}`).toEqual([]);
}

/** No page may be wider than its window, from the smallest phone on. */
export async function expectNoOverflow(page: Page): Promise<void> {
  for (const width of [320, 390, 768, 1100, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    expect.soft(needed, `${page.url()} at ${width} px`).toBeLessThanOrEqual(width);
  }
}

/** The HTML as the server sent it holds neither inline styles nor inline handlers: the strict CSP would refuse them. */
export async function expectStrictHtml(page: Page): Promise<void> {
  const html = await (await page.request.get(page.url())).text();
  expect.soft(html.match(/<[^>]*\s(style|on[a-z]+)=/gi) ?? [], `inline style or script in ${page.url()}`).toEqual([]);
}
