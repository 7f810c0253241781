import { expect, test } from 'vitest';

import { link, links } from './links';

const url = 'https://img.example/i/7h9KzQm2xRfW.jpg';
const picture = { url, name: 'sunset.jpg', kind: 'image', width: 1600, height: 1200 } as const;
const film = {
  url: 'https://img.example/i/a.mp4',
  name: 'sea.mp4',
  kind: 'video',
  width: null,
  height: null,
} as const;

test.each([
  ['url', url],
  ['markdown', `![sunset](${url})`],
  ['html', `<img src="${url}" alt="sunset" width="1600" height="1200" loading="lazy">`],
  ['bbcode', `[img]${url}[/img]`],
] as const)('a picture as %s', (format, text) => {
  expect(link(picture, format)).toBe(text);
});

test.each([
  ['markdown', '[sea](https://img.example/i/a.mp4)'],
  ['html', '<video src="https://img.example/i/a.mp4" controls></video>'],
  ['bbcode', '[video]https://img.example/i/a.mp4[/video]'],
] as const)('a video as %s', (format, text) => {
  expect(link(film, format)).toBe(text);
});

test('a name stays text wherever it lands', () => {
  const hostile = { ...picture, name: '"><script>alert(1)</script>](x) `*_\n.jpg' };
  expect(link(hostile, 'html')).not.toMatch(/<script|alt="">/);
  expect(link(hostile, 'markdown')).toBe(
    `!["\\>\\<script\\>alert(1)\\</script\\>\\](x) \\\`\\*\\_ ](${url})`,
  );
});

test('several stand one a line', () => {
  expect(links([picture, film], 'url')).toBe(`${url}\nhttps://img.example/i/a.mp4`);
});
