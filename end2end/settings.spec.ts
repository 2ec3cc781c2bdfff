// An admin gives Liteboard the token of a system user; every test runs with and without JavaScript.
import { expect, signIn, test } from './fixtures.ts';
import { personToken, systemToken } from './simulator.ts';

test('a system-user token is checked, kept, never shown again, and removed', async ({ page }) => {
  await signIn(page, 'admin');
  await page.getByRole('link', { name: 'Settings', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible();
  const field = page.getByLabel('Token of a system user');
  await field.fill(await personToken('122000000000002'));
  await page.getByRole('button', { name: 'Check and store' }).click();
  await expect(page.getByRole('alert')).toContainText('This is the token of a person');
  await expect(field).toHaveValue('');

  await field.fill(await systemToken());
  await page.getByRole('button', { name: 'Check and store' }).click();
  await expect(page.getByRole('heading', { name: 'Token stored' })).toBeVisible();
  await expect(page.getByText('whatsapp_business_management', { exact: true })).toBeVisible();
  await page.getByText('Replace token').click();
  await expect(field).toHaveValue('');

  await page.getByText('Remove token').click();
  await page.getByRole('button', { name: 'Remove the system-user token' }).click();
  await expect(page.getByRole('heading', { name: 'Token removed' })).toBeVisible();
});
