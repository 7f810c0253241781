import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { api, expect, test, uploaded } from './berth';

const CORPUS = process.env['BERTH_CORPUS'] ?? '../../shared/corpus';

test('pictures are found, selected with shift, withdrawn, and brought back', async ({
  signedIn: page,
  request,
}) => {
  await uploaded(request, [101, 102, 103, 104], { description: 'harbour' });
  await page.goto('/#/gallery?q=harbour&sort=newest');
  const tiles = page.getByRole('button', { name: /^Open picture-10/ });
  await expect(tiles).toHaveCount(4);
  await page.getByRole('checkbox', { name: 'Select picture-104.png' }).click({ force: true });
  await tiles.nth(2).click({ modifiers: ['Shift'] });
  await expect(page.getByText('3 selected')).toBeVisible();
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await expect(tiles).toHaveCount(1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(tiles).toHaveCount(4);
  await page.reload();
  await expect(tiles).toHaveCount(4);
});

test('selected pictures move to an album that is made on the spot', async ({ signedIn: page, request }) => {
  await uploaded(request, [111, 112], { description: 'crete' });
  await page.goto('/#/gallery?q=crete&sort=newest');
  await page.getByRole('checkbox', { name: 'Select picture-111.png' }).click({ force: true });
  await page.getByRole('checkbox', { name: 'Select picture-112.png' }).click({ force: true });
  await page.getByRole('button', { name: 'Move to album' }).click();
  const dialog = page.getByRole('dialog', { name: 'Move to album' });
  await dialog.getByLabel('Album').selectOption({ label: 'New album…' });
  const making = page.getByRole('dialog', { name: 'New album' });
  await making.getByLabel('Name').fill('Crete');
  await making.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('button', { name: 'Move to album' }).click();
  await expect(page.getByText('2 images moved')).toBeVisible();
  await page.getByRole('link', { name: 'Albums' }).click();
  await page.getByRole('link', { name: 'Open: Crete' }).click();
  await expect(page.getByRole('button', { name: /^Open picture-11/ })).toHaveCount(2);
});

test('the viewer goes on with the arrows, tells the details, and closes with Back', async ({
  signedIn: page,
  request,
}) => {
  await uploaded(request, [121, 122], { description: 'viewed' });
  await page.goto('/#/gallery?q=viewed&sort=newest');
  await page.getByRole('button', { name: 'Open picture-122.png' }).click();
  const viewer = page.getByRole('dialog', { name: /^Picture/ });
  await expect(viewer).toHaveAccessibleName('Picture: picture-122.png');
  await page.keyboard.press('ArrowRight');
  await expect(viewer).toHaveAccessibleName('Picture: picture-121.png');
  await page.keyboard.press('i');
  await viewer.getByLabel('Name').fill('renamed.png');
  await viewer.getByLabel('Name').blur();
  await expect(page.getByText('Saved')).toBeVisible();
  await page.goBack();
  await expect(viewer).toBeHidden();
  await expect(page.getByRole('button', { name: 'Open renamed.png' })).toBeVisible();
});

test('what is typed while the details are still being read stays', async ({ signedIn: page, request }) => {
  await uploaded(request, [125], { description: 'slow' });
  await page.goto('/#/gallery?q=slow');
  let answer = () => {};
  const typed = new Promise<void>((resolve) => (answer = resolve));
  await page.route(/\/v1\/images\/[^/?]+$/, async (route) => {
    if (route.request().method() === 'GET') await typed;
    await route.continue();
  });
  await page.getByRole('button', { name: 'Open picture-125.png' }).click();
  const viewer = page.getByRole('dialog', { name: /^Picture/ });
  await expect(viewer).toHaveAccessibleName('Picture: picture-125.png');
  await page.keyboard.press('i');
  const name = viewer.getByLabel('Name');
  await name.fill('typed.png');
  const read = page.waitForResponse(
    (response) => response.request().method() === 'GET' && response.url().includes('/v1/images/'),
  );
  answer();
  await read;
  await name.blur();
  await expect(page.getByText('Saved')).toBeVisible();
  await expect(name).toHaveValue('typed.png');
});

test('the arrows go from picture to picture, and Enter opens one', async ({ signedIn: page, request }) => {
  await uploaded(request, [131, 132, 133], { description: 'keys' });
  await page.goto('/#/gallery?q=keys&sort=newest');
  await page.getByRole('button', { name: 'Open picture-133.png' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('button', { name: 'Open picture-132.png' })).toBeFocused();
  await page.keyboard.press('x');
  await expect(page.getByText('1 selected')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: /^Picture: picture-132/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Open picture-132.png' })).toBeFocused();
});

test('pictures are selected by drawing over them, with the mouse and with a finger', async ({
  signedIn: page,
  request,
  context,
}) => {
  await uploaded(request, [141, 142, 143, 144], { description: 'drawn' });
  await page.goto('/#/gallery?q=drawn&sort=newest');
  const tiles = page.getByRole('button', { name: /^Open picture-14/ });
  await expect(tiles).toHaveCount(4);
  const middle = async (nth: number) => {
    const box = await tiles.nth(nth).boundingBox();
    return { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 };
  };
  const first = page.getByRole('checkbox', { name: 'Select picture-144.png' });
  await first.hover({ force: true });
  await page.mouse.down();
  for (const nth of [1, 2]) {
    const { x, y } = await middle(nth);
    await page.mouse.move(x, y, { steps: 4 });
  }
  await page.mouse.up();
  await expect(page.getByText('3 selected')).toBeVisible();
  await page.keyboard.press('Escape');

  const client = await context.newCDPSession(page);
  const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', at: { x: number; y: number }[]) =>
    client.send('Input.dispatchTouchEvent', { type, touchPoints: at });
  await client.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  await touch('touchStart', [await middle(1)]);
  await expect(page.getByText('1 selected')).toBeVisible();
  await touch('touchMove', [await middle(3)]);
  await touch('touchEnd', []);
  await expect(page.getByText('3 selected')).toBeVisible();
});

test('what is selected is downloaded', async ({ signedIn: page, request }) => {
  await uploaded(request, [151, 152], { description: 'taken home' });
  await page.goto('/#/gallery?q=taken%20home&sort=newest');
  await page.getByRole('checkbox', { name: 'Select picture-151.png' }).click({ force: true });
  await page.getByRole('checkbox', { name: 'Select picture-152.png' }).click({ force: true });
  const names: string[] = [];
  page.on('download', (download) => names.push(download.suggestedFilename()));
  await page.getByRole('button', { name: 'Download' }).click();
  await expect.poll(() => names.sort()).toEqual(['picture-151.png', 'picture-152.png']);
});

test('the keys are told by "?", and "/" goes to the search', async ({ signedIn: page }) => {
  await page.goto('/#/gallery');
  await expect(page.getByRole('searchbox')).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeHidden();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
});

test('before the end of pictures is changed, it is told when they end now', async ({
  signedIn: page,
  request,
}) => {
  await uploaded(request, [161], { description: 'ending', expires_in: '12d' });
  await uploaded(request, [162], { description: 'ending', expires_in: '0' });
  await page.goto('/#/gallery?q=ending&sort=newest');
  await page.getByRole('checkbox', { name: 'Select picture-161.png' }).click({ force: true });
  const bulk = page.getByRole('dialog', { name: 'Change expiry' });
  await page.getByRole('button', { name: 'Change expiry' }).click();
  await expect(bulk).toContainText(/Now: it ends on \w+ \d+, \d{4}, in 1[12] days\./);
  await page.keyboard.press('Escape');
  await page.getByRole('checkbox', { name: 'Select picture-162.png' }).click({ force: true });
  await page.getByRole('button', { name: 'Change expiry' }).click();
  await expect(bulk).toContainText(/Now: 1 ends on \w+ \d+, \d{4}; 1 never does\./);
  await bulk.getByRole('button', { name: '30 days' }).click();
  await expect(page.getByText('Expiry of 2 images changed')).toBeVisible();
  await page.getByRole('button', { name: 'Open picture-162.png' }).click();
  await page.getByRole('dialog', { name: /^Picture/ }).waitFor();
  await page.keyboard.press('i');
  await page.getByRole('complementary').getByRole('button', { name: 'Edit', exact: true }).click();
  await expect(bulk).toContainText(/Now: it ends on .*, in (29|30) days\./);
});

test('the viewer tells with what a photograph was taken, and how', async ({ signedIn: page, request }) => {
  const buffer = readFileSync(join(CORPUS, 'exif-samples/jpg__exif-org__canon-ixus.jpg'));
  const file = { name: 'photograph.jpg', mimeType: 'image/jpeg', buffer };
  await api(request, 'POST', 'images', { multipart: { file, description: 'photographed', scrub: 'keep' } });
  await page.goto('/#/gallery?q=photographed');
  await page.getByRole('button', { name: 'Open photograph.jpg' }).click();
  await page.getByRole('dialog', { name: /^Picture/ }).waitFor();
  await page.keyboard.press('i');
  const camera = page.getByRole('group', { name: 'Camera' });
  await expect(camera.getByRole('paragraph')).toHaveText('Canon DIGITAL IXUS');
  await expect(camera.getByRole('listitem')).toHaveText(['10.8 mm', 'f/4', '1/350 s']);
});
