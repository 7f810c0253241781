import { expect, test } from 'vitest';

import { en } from '../words/en';
import { zh } from '../words/zh';
import { endOf, endOfMany } from './expiry';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const never = { expires_at: null };
const ends = (day: string) => ({ expires_at: `${day}T12:00:00Z` });

test('the end of one is told by its day and how far away that is', () => {
  expect(endOf(never, NOW, en, 'en')).toBe('Now: it never ends.');
  expect(endOf(ends('2026-12-03'), NOW, en, 'en')).toBe('Now: it ends on Dec 3, 2026, in 12 days.');
  expect(endOf(ends('2026-12-03'), NOW, zh, 'zh-CN')).toBe('目前：2026年12月3日到期，12 天后。');
});

test.each([
  [[never, never], 'Now: none of them ends.', '目前：都永久保存。'],
  [
    [ends('2026-12-03'), never],
    'Now: 1 ends on Dec 3, 2026; 1 never does.',
    '目前：1 张在2026年12月3日到期，1 张永久保存。',
  ],
  [
    [ends('2026-12-09'), ends('2026-12-03')],
    'Now: all end between Dec 3, 2026 and Dec 9, 2026.',
    '目前：都在2026年12月3日至2026年12月9日之间到期。',
  ],
  [[ends('2026-12-03'), ends('2026-12-03')], 'Now: all end on Dec 3, 2026.', '目前：都在2026年12月3日到期。'],
])('the ends of many are one sentence', (images, english, chinese) => {
  expect(endOfMany(images, NOW, en, 'en')).toBe(english);
  expect(endOfMany(images, NOW, zh, 'zh-CN')).toBe(chinese);
});
