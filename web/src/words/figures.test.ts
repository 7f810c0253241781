import { describe, expect, test } from 'vitest';

import { away, compact, duration, size } from './figures';
import { preferred } from './language.svelte';

describe('figures', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [284113, '277 KiB'],
    [67108864, '64 MiB'],
    [1610612736, '1.5 GiB'],
    [5368709120, '5 GiB'],
  ])('%d bytes read as %s', (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });

  test.each([
    [0.2, 'en', '1 sec'],
    [42, 'en', '42 sec'],
    [120, 'en', '2 min'],
    [7200, 'en', '2 hr'],
    [120, 'zh-CN', '2 分钟'],
  ])('%d seconds in %s read as %s', (seconds, locale, text) => {
    expect(duration(seconds, locale)).toBe(text);
  });

  test('a time is told by its distance, in the largest unit that fits', () => {
    const now = Date.parse('2026-11-21T00:00:00Z');
    expect(away('2026-11-24T01:00:00Z', now, 'en')).toBe('in 3 days');
    expect(away('2026-11-20T21:00:00Z', now, 'zh-CN')).toBe('3 小时前');
    expect(away('2026-11-21T00:00:10Z', now, 'en')).toBe('this minute');
  });

  test('large numbers are short in both languages', () => {
    expect(compact(12_345, 'en')).toBe('12.3K');
    expect(compact(12_345, 'zh-CN')).toBe('1.2万');
  });
});

test.each([
  [['zh-CN', 'en'], 'zh'],
  [['en-GB', 'zh'], 'en'],
  [['fr', 'zh-TW'], 'zh'],
  [['de'], 'en'],
  [[], 'en'],
] as const)('a browser that prefers %j gets %s', (languages, locale) => {
  expect(preferred(languages)).toBe(locale);
});
