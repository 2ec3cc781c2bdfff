import { defineConfig, devices } from '@playwright/test';

/** A setting that bin/test makes; to run by hand, start bin/dev and set them. */
export function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run bin/test browser`);
  return value;
}

const asRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: '.',
  outputDir: '../target/end2end',
  forbidOnly: true,
  retries: 0,
  // The specs of a project share one app and one simulator, whose faults are planned for the next call whoever makes it.
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json']],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 900 },
    baseURL: setting('BASE_URL'),
    actionTimeout: 15_000,
    navigationTimeout: 30_000,
    locale: 'en-GB',
    screenshot: 'only-on-failure',
    // Recording what a test does takes a quarter of its time: it's done when it's asked for, with TRACE=1.
    trace: process.env.TRACE ? 'retain-on-failure' : 'off',
    launchOptions: {
      executablePath: setting('CHROMIUM'),
      // Without these Chromium waits for its maker's servers, which a closed network never answers.
      args: [
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-gpu',
        ...(asRoot ? ['--no-sandbox'] : []),
      ],
    },
  },
  projects: [
    { name: 'script' },
    { name: 'no-script', use: { javaScriptEnabled: false }, testIgnore: /looks\.spec/ },
  ],
});
