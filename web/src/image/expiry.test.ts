import { expect, test } from 'vitest';

import type { Image, UploadRules } from '../api/types';
import { en } from '../words/en';
import { zh } from '../words/zh';
import { endOf, endOfMany, slides } from './expiry';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const never = { expires_at: null };
const ends = (day: string) => ({ expires_at: `${day}T12:00:00Z` });

test('the end of one is told by its day and how far away that is', () => {
  expect(endOf(never, 0, NOW, en, 'en')).toBe('Now: it never ends.');
  expect(endOf(ends('2026-12-03'), 0, NOW, en, 'en')).toBe('Now: it ends on Dec 3, 2026, in 12 days.');
  expect(endOf(ends('2026-12-03'), 0, NOW, zh, 'zh-CN')).toBe('目前：2026年12月3日到期，12 天后。');
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

const DAY = 86_400;
const rules = (sliding: number, longest = 0): UploadRules => ({
  lifetime_seconds: 0,
  longest_seconds: longest * DAY,
  sliding_seconds: sliding * DAY,
  visibility: 'public',
  scrub: 'location',
});

test.each<[string, Pick<Image, 'expires_at' | 'ends_by_policy' | 'policy'>, UploadRules | null, number]>([
  ['nobody said its end', { ...ends('2026-12-03'), ends_by_policy: true }, rules(90), 90],
  ['somebody said its end', { ...ends('2026-12-03'), ends_by_policy: false }, rules(90), 0],
  ['the server is an older one', ends('2026-12-03'), rules(90), 0],
  ['it never ends', { ...never, ends_by_policy: true }, rules(90), 0],
  ['its own policy says so', { ...ends('2026-12-03'), policy: { expiry: { sliding: '7d' } } }, null, 7],
  [
    'its own policy says not at all',
    { ...ends('2026-12-03'), ends_by_policy: true, policy: { expiry: { sliding: '0' } } },
    rules(90),
    0,
  ],
  ['it may not live that long', { ...ends('2026-12-03'), ends_by_policy: true }, rules(90, 9), 9],
])('where %s, a view keeps it so long', (_name, image, rules, days) => {
  expect(slides(image, rules)).toBe(days * DAY);
});

test('an end that views move is told with what they move it to', () => {
  expect(endOf(ends('2026-12-03'), 90 * DAY, NOW, en, 'en')).toBe(
    'Now: it ends on Dec 3, 2026, in 12 days. Each view keeps it for 90 days more.',
  );
  expect(endOf(ends('2026-12-03'), 90 * DAY, NOW, zh, 'zh-CN')).toBe(
    '目前：2026年12月3日到期，12 天后。每次访问后至少再保存 90 天。',
  );
});
