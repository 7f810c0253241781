import { expect, PASSWORD, signIn, test, USERNAME } from './berth';

test('a wrong password is told in words, the right one opens the page, and leaving closes it', async ({
  page,
}) => {
  await page.goto('/');
  await page.getByLabel('Username').fill(USERNAME);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('link', { name: 'Gallery' })).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in to berth' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Sign in to berth' })).toBeVisible();
});

test.describe('in a Chinese browser', () => {
  test.use({ locale: 'zh-CN' });

  test('the page speaks Chinese, and the switch is remembered', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: '登录 berth' })).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
    await page.getByRole('button', { name: 'English' }).click();
    await expect(page.getByRole('heading', { name: 'Sign in to berth' })).toBeVisible();
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Sign in to berth' })).toBeVisible();
  });
});

test('a session that ends loses nothing: one signs in over the work, and it goes on', async ({
  page,
  context,
}) => {
  await signIn(page, '/#/settings/tokens');
  await page.getByLabel('What is it for?').fill('made after the session had ended');
  await context.clearCookies();
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel('Username')).toHaveValue(USERNAME);
  await dialog.getByLabel('Password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText('Here is your token')).toBeVisible();
  await expect(
    page.getByRole('listitem').filter({ hasText: 'made after the session had ended' }),
  ).toBeVisible();
});
