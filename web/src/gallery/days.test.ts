import { expect, test } from 'vitest';

import { dayName } from './days';

const now = new Date(2026, 10, 21, 0, 30).getTime();

test.each([
  ['2026-11-21', 'en', 'Today'],
  ['2026-11-20', 'en', 'Yesterday'],
  ['2026-11-19', 'en', 'Thursday, November 19'],
  ['2024-05-01', 'en', 'Wed, May 1, 2024'],
  ['2024-05-01', 'zh-CN', '2024年5月1日周三'],
  ['2026-11-19', 'zh-CN', '11月19日星期四'],
])('%s in %s is %s', (day, locale, name) => {
  expect(dayName(day, now, locale, ['Today', 'Yesterday'])).toBe(name);
});

test.each([
  ['2026-11-21', 'en', 'Today'],
  ['2026-11-19', 'en', 'Thu, Nov 19'],
  ['2024-09-22', 'en', 'Sep 22, 2024'],
  ['2024-09-22', 'zh-CN', '2024年9月22日'],
  ['2026-11-19', 'zh-CN', '11月19日周四'],
])('%s in %s is %s where there is little room', (day, locale, name) => {
  expect(dayName(day, now, locale, ['Today', 'Yesterday'], true)).toBe(name);
});
