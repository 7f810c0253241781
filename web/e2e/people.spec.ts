import { expect, picture, signIn, test } from './berth';

test('somebody is let in with a quota, which is told when it is full, and the log tells who did what', async ({
  signedIn: page,
  browser,
  baseURL,
}) => {
  const name = `bo-${Date.now() % 1e6}`;
  await page.goto('/#/settings/users');
  await page.getByPlaceholder('Username').fill(name);
  await page.getByRole('button', { name: 'New user' }).click();
  const password = (await page.getByRole('status').locator('code').textContent()) ?? '';
  await page.getByRole('button', { name: `Edit: ${name}` }).click();
  const form = page.getByRole('dialog', { name });
  await form.getByLabel('File limit').fill('1');
  await form.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: name })).toContainText('0 files of 1');

  const theirs = await browser.newContext({ baseURL: baseURL ?? '' });
  try {
    const bo = await theirs.newPage();
    await signIn(bo, '/', name, password);
    const seed = Date.now() % 1e6;
    await bo.getByTestId('chooser').setInputFiles(picture('one.png', seed));
    await expect(bo.getByRole('heading', { name: 'Your picture is ready' })).toBeVisible();
    await bo.getByTestId('chooser').setInputFiles(picture('two.png', seed + 1));
    await expect(bo.locator('[data-phase=failed]')).toContainText(/quota|limit/i);
    // What is an administrator's is not theirs, nor is it shown.
    await bo.goto('/#/settings/users');
    await expect(bo.getByRole('heading', { name: 'New token' })).toBeVisible();
    await expect(bo.getByRole('navigation', { name: 'Settings' }).getByRole('link')).toHaveText([
      'Tokens & editors',
      'Account',
    ]);
    await bo.goto('/#/settings/account');
    await expect(bo.getByText('1 file of 1')).toBeVisible();
  } finally {
    await theirs.close();
  }

  await page.goto('/#/settings/events');
  const log = page.getByRole('listitem');
  await expect(log.filter({ hasText: `${name} Uploaded` }).first()).toBeVisible();
  await expect(log.filter({ hasText: `Made an account ${name}` })).toHaveCount(1);
  await page.getByRole('combobox', { name: 'Kind' }).selectOption({ label: 'Made an account' });
  await expect(log.filter({ hasText: 'Uploaded' })).toHaveCount(0);
  await expect(log.filter({ hasText: name })).toHaveCount(1);
});
