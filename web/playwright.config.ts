import { existsSync } from 'node:fs';

import { defineConfig } from '@playwright/test';

// Started by e2e/tests/it/page.rs, which gives the address of a berth of its own behind a real nginx.
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'artifacts',
  fullyParallel: false,
  workers: 1,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 8000 },
  reporter: [['line']],
  use: {
    baseURL: process.env['BERTH_URL'] ?? 'http://127.0.0.1:8080',
    locale: 'en-US',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    launchOptions: {
      // Debian's own: no browser is downloaded. In containers and as root there is no sandbox to be had.
      ...(chromium ? { executablePath: chromium } : {}),
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    },
  },
});
