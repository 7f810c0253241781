import { describe, expect, test } from 'vitest';

import {
  aspect,
  beside,
  between,
  dayAt,
  EMPTY,
  lay,
  rowOf,
  type Block,
  type Frame,
  type Shape,
} from './timeline';

const frame: Frame = {
  width: 1000,
  rowHeight: 200,
  gap: 4,
  grouping: 'taken',
  dayOfUpload: (time) => time.slice(0, 10),
};

const shape = (
  index: number,
  taken: string | null,
  width: number | null = 400,
  height: number | null = 300,
): Shape => ({
  id: `i${index}`,
  width,
  height,
  kind: 'image',
  taken_at: taken,
  created_at: '2026-11-21T10:00:00Z',
});

const rows = (blocks: Block[]) => blocks.filter((block) => block.kind === 'row');

const many = (count: number): Shape[] =>
  Array.from({ length: count }, (_, index) =>
    shape(
      index,
      index < count * 0.9
        ? `20${24 - Math.floor(index / 40_000)}-05-${String(28 - (Math.floor(index / 13) % 28)).padStart(2, '0')}T08:00:00`
        : null,
      300 + ((index * 37) % 500),
      300,
    ),
  );

test.each([
  [400, 300, 'image', 4 / 3],
  [null, null, 'image', 1],
  [null, null, 'video', 16 / 9],
  [10_000, 100, 'image', 2.6],
  [100, 10_000, 'image', 0.55],
] as const)('%s × %s (%s) is shown as %d', (width, height, kind, ratio) => {
  expect(aspect({ width, height, kind })).toBeCloseTo(ratio);
});

describe('a timeline', () => {
  const shapes = [
    shape(0, '2024-05-02T09:00:00+02:00'),
    shape(1, '2024-05-01T23:30:00+02:00'),
    shape(2, '2024-05-01T08:00:00+02:00'),
    shape(3, null),
  ];
  const layout = lay(shapes, frame);

  test('has a heading for each day of the camera, and undated pictures stand apart', () => {
    const heads = layout.blocks.filter((block) => block.kind !== 'row');
    expect(
      heads.map((block) => (block.kind === 'day' ? `${block.day} ${block.from}-${block.to}` : block.kind)),
    ).toEqual(['2024-05-02 0-1', '2024-05-01 1-3', 'undated', '2026-11-21 3-4']);
  });

  test('has no gaps and no overlaps', () => {
    let top = 0;
    for (const block of layout.blocks) {
      if (block.kind === 'day' && block.left > 0) {
        expect(block.top + block.height).toBeCloseTo(top);
        continue;
      }
      expect(block.top).toBeCloseTo(top);
      top += block.height;
    }
    expect(layout.height).toBeCloseTo(top);
  });

  test('puts days of a few pictures side by side, each under its own name, and fills the row with them', () => {
    const days = layout.blocks.filter((block) => block.kind === 'day');
    const [row] = rows(layout.blocks);
    expect(days.map((day) => day.top)).toEqual([0, 0, expect.any(Number)]);
    expect(row?.tiles.map((tile) => tile.index)).toEqual([0, 1, 2]);
    // A day begins where its first picture does, and is at least as wide as what stands in it.
    for (const day of days.slice(0, 2)) {
      const own = row?.tiles.filter((tile) => tile.index >= day.from && tile.index < day.to) ?? [];
      const last = own.at(-1);
      expect(own[0]?.left).toBe(day.left);
      expect((last?.left ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(day.left + day.width + 1e-6);
    }
  });

  test('gives a narrow picture the width of its day, and lets a day that fills rows stand alone', () => {
    const narrow = [1, 2, 3, 4, 5, 6].map((day) => shape(day, `2024-05-0${7 - day}T08:00:00`, 100, 1000));
    const crowd = Array.from({ length: 9 }, (_, index) => shape(10 + index, '2024-04-01T08:00:00'));
    const { blocks } = lay([...narrow, ...crowd], frame);
    const days = blocks.filter((block) => block.kind === 'day');
    expect(days.slice(0, 5).map((day) => Math.round(day.left))).toEqual([0, 194, 388, 582, 776]);
    expect(days[6]).toMatchObject({ day: '2024-04-01', left: 0, width: 1000 });
    for (const row of rows(blocks)) {
      const last = row.tiles.at(-1);
      expect((last?.left ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(1000 + 1e-6);
    }
  });
});

test('it is known which day is at a height', () => {
  const layout = lay(many(300), frame);
  for (const [at, block] of layout.blocks.entries()) {
    const before = layout.blocks
      .slice(0, at + 1)
      .findLast((other) => other.kind === 'day' && other.left === 0);
    expect(dayAt(layout, block.top + 1)).toBe(before?.kind === 'day' ? before.day : null);
  }
  expect(dayAt(EMPTY, 0)).toBeNull();
  expect(dayAt(lay(many(9), { ...frame, grouping: 'none' }), 50)).toBeNull();
});

test('full rows fill the width; the last one does not make giants', () => {
  const layout = lay(
    Array.from({ length: 9 }, (_, index) => shape(index, null)),
    { ...frame, grouping: 'none' },
  );
  const all = rows(layout.blocks);
  expect(all.map((row) => row.tiles.length)).toEqual([4, 4, 1]);
  const end = all[0]?.tiles.at(-1);
  expect((end?.left ?? 0) + (end?.width ?? 0)).toBeCloseTo(1000);
  expect(all[2]?.height).toBeLessThanOrEqual(200 * 1.15 + 4);
});

test('a picture that is wider than the page is cut, not pushed out', () => {
  const layout = lay([shape(0, null, 5000, 300)], { ...frame, width: 320, grouping: 'none' });
  expect(rows(layout.blocks)[0]?.tiles[0]?.width).toBeLessThanOrEqual(320);
});

test.each(['taken', 'uploaded', 'none'] as const)(
  'pages laid one behind the other stand as all at once (%s)',
  (grouping) => {
    const shapes = many(1000);
    let layout = EMPTY;
    for (let end = 70; end < 1070; end += 70)
      layout = lay(shapes.slice(0, end), { ...frame, grouping }, layout);
    expect(layout).toEqual(lay(shapes, { ...frame, grouping }));
  },
);

test('what is on the screen is found among 100,000 in no time', () => {
  const begun = performance.now();
  const layout = lay(many(100_000), frame);
  expect(performance.now() - begun).toBeLessThan(1500);
  const found = between(layout, 500_000, 501_000);
  expect(found.length).toBeGreaterThan(2);
  expect(found.length).toBeLessThan(16);
  expect(found.every((block) => block.top < 501_000 && block.top + block.height > 500_000)).toBe(true);
});

test('the arrows go to the nearest picture of the next row', () => {
  const layout = lay(
    Array.from({ length: 9 }, (_, index) => shape(index, null)),
    { ...frame, grouping: 'none' },
  );
  expect(beside(layout, 1, 1)).toBe(5);
  expect(beside(layout, 5, -1)).toBe(1);
  expect(beside(layout, 0, -1)).toBeNull();
  expect(beside(layout, 6, 1)).toBe(8);
  expect(rowOf(layout, 5)?.tiles[0]?.index).toBe(4);
});
