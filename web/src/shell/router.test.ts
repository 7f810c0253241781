import { expect, test } from 'vitest';

import { href, read } from './router.svelte';

test.each([
  ['', 'upload', '', ''],
  ['#/', 'upload', '', ''],
  ['#/gallery', 'gallery', '', ''],
  ['#/gallery?album=7&q=a%20b', 'gallery', '', 'album=7&q=a+b'],
  ['#/settings/tokens', 'settings', 'tokens', ''],
  ['#/nowhere/at-all', 'upload', '', ''],
])('%j leads to %s', (hash, view, rest, query) => {
  const route = read(hash);
  expect([route.view, route.rest, route.query.toString()]).toEqual([view, rest, query]);
});

test('what is empty is left out of a link, and a link leads where it says', () => {
  const link = href('gallery', '', { q: '截图', album: null, sort: '' });
  expect(link).toBe('#/gallery?q=%E6%88%AA%E5%9B%BE');
  expect(read(link).query.get('q')).toBe('截图');
});
