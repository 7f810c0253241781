import { expect, test } from 'vitest';

import { contained, pinched } from './zoom';

const usual = { scale: 1, x: 0, y: 0 };

test('the point under the finger stays where it is', () => {
  const view = pinched(usual, 2, 100, -50);
  expect(view).toEqual({ scale: 2, x: -100, y: 50 });
  // What lay at (100, -50) lies there still: position = offset + point × scale.
  expect(view.x + 100 * view.scale).toBe(100);
  expect(view.y - 50 * view.scale).toBe(-50);
});

test.each([
  [100, 12],
  [0.01, 1],
])('%d times is kept within bounds', (factor, scale) => {
  expect(pinched(usual, factor, 0, 0).scale).toBe(scale);
});

test('it can be moved to its edges and no farther', () => {
  expect(contained({ scale: 2, x: 900, y: -10 }, 800, 600)).toEqual({ scale: 2, x: 400, y: -10 });
  expect(contained({ scale: 1, x: 30, y: 30 }, 800, 600)).toEqual(usual);
});
