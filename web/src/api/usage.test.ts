import { expect, test } from 'vitest';

import { everyDay } from './usage';

test('days on which nothing happened are there as zero', () => {
  const use = { day: '2026-03-01', views: 3, bytes: 9, bots: 1, bot_bytes: 2, refusals: 0 };
  const { days, values } = everyDay({ from: '2026-02-27', to: '2026-03-02', days: [use] });
  expect(days).toEqual(['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']);
  expect(values.map((value) => value.views)).toEqual([0, 0, 3, 0]);
});
