import { expect, test } from 'vitest';

import type { Image } from '../api/types';
import { Selection } from './selection.svelte';

const images = Array.from({ length: 8 }, (_, index) => ({ id: String(index) }) as Image);
const chosen = (selection: Selection) => [...selection.ids].sort().join('');

test('shift goes on from the last one that was toggled', () => {
  const selection = new Selection();
  selection.toggle(images, 5);
  selection.extend(images, 2);
  expect(chosen(selection)).toBe('2345');
  selection.toggle(images, 3);
  expect(chosen(selection)).toBe('245');
});

test('drawing back takes back what was drawn over, and nothing else', () => {
  const selection = new Selection();
  selection.toggle(images, 7);
  selection.begin(images, 1);
  selection.draw(images, 4);
  expect(chosen(selection)).toBe('12347');
  selection.draw(images, 2);
  expect(chosen(selection)).toBe('127');
  selection.end();
  selection.draw(images, 6);
  expect(chosen(selection)).toBe('127');
});

test('drawing from a chosen one lets go', () => {
  const selection = new Selection();
  selection.range(images, 0, 5);
  selection.begin(images, 2);
  selection.draw(images, 4);
  selection.end();
  expect(chosen(selection)).toBe('015');
});
