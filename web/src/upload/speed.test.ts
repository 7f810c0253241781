import { expect, test } from 'vitest';

import { Speed } from './speed';

test('nothing is said before something is known', () => {
  const speed = new Speed();
  expect(speed.now).toBeNull();
  speed.mark(0, 0);
  speed.mark(100, 100);
  expect(speed.now).toBeNull();
  expect(speed.left(100)).toBeNull();
});

test('it is that of the last seconds', () => {
  const speed = new Speed(2000);
  for (let second = 0; second <= 10; second += 1) speed.mark(second * 1000, second * 1000);
  expect(speed.now).toBe(1000);
  for (let second = 11; second <= 14; second += 1) speed.mark(10_000 + (second - 10) * 50, second * 1000);
  expect(speed.now).toBe(50);
  expect(speed.left(100)).toBe(2);
});

test('a stand-still has no end', () => {
  const speed = new Speed();
  speed.mark(500, 0);
  speed.mark(500, 3000);
  expect(speed.now).toBe(0);
  expect(speed.left(100)).toBeNull();
});
