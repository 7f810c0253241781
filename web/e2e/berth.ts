import { randomFillSync } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

import {
  test as plain,
  expect,
  type APIRequestContext,
  type BrowserContext,
  type Page,
} from '@playwright/test';

export { expect };

export const USERNAME = process.env['BERTH_USERNAME'] ?? 'admin';
export const PASSWORD = process.env['BERTH_PASSWORD'] ?? '';

/** A PNG of one colour with some noise: no two seeds have the same bytes. */
export function png(seed: number, width = 320, height = 240, noise = false): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3));
  if (noise) return encoded(width, height, noisy(rows, 1 + width * 3));
  const colour = [(seed * 67) % 256, (seed * 131 + 80) % 256, (seed * 29 + 160) % 256];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        rows[y * (1 + width * 3) + 1 + x * 3 + channel] = ((colour[channel] ?? 0) + ((x ^ y) & 31)) % 256;
      }
    }
  }
  // In the picture itself: what is told beside it may be taken out by the server, and then two would be one.
  rows.writeUInt32BE(seed % 2 ** 32, 1);
  return encoded(width, height, rows);
}

/** Rows that nothing compresses, so that a picture has as many bytes as pixels. */
function noisy(rows: Buffer, line: number): Buffer {
  randomFillSync(rows);
  // Each begins with the number of its filter: none.
  for (let at = 0; at < rows.length; at += line) rows[at] = 0;
  return rows;
}

function encoded(width: number, height: number, rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

export const picture = (name: string, seed: number, width?: number, height?: number) => ({
  name,
  mimeType: 'image/png',
  buffer: png(seed, width, height),
});

let bearer: string | undefined;

/** A session of its own, for what stands behind the plays. */
async function signedIn(request: APIRequestContext): Promise<string> {
  if (bearer === undefined) {
    const data = { username: USERNAME, password: PASSWORD };
    // As a program: a browser's cookie would be set in the plays' own context.
    const headers = { origin: 'https://elsewhere.example' };
    const response = await request.post('/v1/session', { data, headers });
    bearer = ((await response.json()) as { token: string }).token;
  }
  return bearer;
}

/** Asks the API as a script would. */
export async function api<T>(
  request: APIRequestContext,
  method: string,
  path: string,
  options: { data?: unknown; multipart?: Record<string, string | ReturnType<typeof picture>> } = {},
): Promise<T> {
  const response = await request.fetch(`/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${await signedIn(request)}` },
    ...options,
  });
  expect(response.ok(), `${method} ${path}: ${response.status()} ${await response.text()}`).toBe(true);
  return response.status() === 204 ? (undefined as T) : ((await response.json()) as T);
}

export interface Uploaded {
  id: string;
  url: string;
  name: string;
}

/** Uploads pictures by the API; each seed is another picture. */
export async function uploaded(
  request: APIRequestContext,
  seeds: number[],
  fields: Record<string, string> = {},
): Promise<Uploaded[]> {
  const images: Uploaded[] = [];
  for (const seed of seeds) {
    const file = picture(`picture-${seed}.png`, seed, 240 + (seed % 5) * 60, 240);
    const answer = await api<{ images: Uploaded[] }>(request, 'POST', 'images', {
      multipart: { ...fields, file },
    });
    images.push(...answer.images);
  }
  return images;
}

type Cookies = Awaited<ReturnType<BrowserContext['cookies']>>;
let cookies: Cookies | undefined;

/** Signs in by the form. */
export async function signIn(
  page: Page,
  path = '/',
  username = USERNAME,
  password = PASSWORD,
): Promise<void> {
  await page.goto(path);
  await page.locator('input[name=username]').fill(username);
  await page.locator('input[name=password]').fill(password);
  await page.locator('form button').click();
  await expect(page.getByRole('navigation').first()).toBeVisible();
}

/** A page of somebody who is signed in, on which nothing may go wrong behind the scenes. */
export const test = plain.extend<{ signedIn: Page; quiet: string[] }>({
  quiet: async ({ page }, use) => {
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('console', (message) => {
      // A refusal is an answer and no fault of the page.
      const expected = /status of 4\d\d/.test(message.text());
      if (message.type() === 'error' && !expected) wrong.push(message.text());
    });
    await use(wrong);
    expect(wrong).toEqual([]);
  },
  signedIn: async ({ page, context, quiet }, use) => {
    void quiet;
    if (cookies) {
      await context.addCookies(cookies);
      await page.goto('/');
      await expect(page.getByRole('navigation').first()).toBeVisible();
    } else {
      await signIn(page);
      cookies = await context.cookies();
    }
    await use(page);
  },
});
