/**
 * Where every picture of a list stands: days under their headings, pictures in rows that fill the width (each keeps its
 * proportions, a row has one height). Days of a few pictures stand side by side, for most days have few. Pure arithmetic over numbers, so that 100,000 pictures cost milliseconds, and more of a
 * list can be laid out behind what stands already.
 */

export interface Shape {
  id: string;
  width: number | null;
  height: number | null;
  kind: 'image' | 'video';
  taken_at: string | null;
  created_at: string;
}

export interface Tile {
  index: number;
  left: number;
  width: number;
}

export type Block =
  | { kind: 'undated'; key: string; top: number; height: number; from: number }
  | {
      kind: 'day';
      key: string;
      top: number;
      height: number;
      /** Days that share a row of pictures have one height, and begin where their first picture does. */
      left: number;
      width: number;
      day: string;
      from: number;
      to: number;
    }
  | { kind: 'row'; key: string; top: number; height: number; tiles: Tile[] };

/** How a list is cut into days. */
export type Grouping = 'taken' | 'uploaded' | 'none';

export interface Frame {
  width: number;
  /** The height that rows come close to. */
  rowHeight: number;
  gap: number;
  grouping: Grouping;
  /** Minutes east of UTC, for the day of an upload: `taken_at` is a wall clock's day already. */
  dayOfUpload: (time: string) => string;
}

export interface Layout {
  blocks: Block[];
  height: number;
  /** How many pictures it holds. */
  count: number;
}

export const EMPTY: Layout = { blocks: [], height: 0, count: 0 };

const DAY_HEAD = 56;
const UNDATED_HEAD = 76;
/** So much a day's name needs, however narrow its picture is. */
const DAY_WIDTH = 172;
/** Between days that stand side by side, besides the gap that is between pictures. */
const DAY_GAP = 18;

/** Width by height; what is unknown or extreme is shown like something that is neither. */
export function aspect(shape: Pick<Shape, 'width' | 'height' | 'kind'>): number {
  if (!shape.width || !shape.height) return shape.kind === 'video' ? 16 / 9 : 1;
  return Math.min(2.6, Math.max(0.55, shape.width / shape.height));
}

/** The heading a picture stands under; empty without headings. */
export function groupOf(shape: Shape, frame: Frame): string {
  if (frame.grouping === 'none') return '';
  if (frame.grouping === 'uploaded') return frame.dayOfUpload(shape.created_at);
  return shape.taken_at ? shape.taken_at.slice(0, 10) : `undated ${frame.dayOfUpload(shape.created_at)}`;
}

/** Lays out `shapes`; `before` is what an earlier call gave for the first of them, which is kept. */
export function lay(shapes: readonly Shape[], frame: Frame, before: Layout = EMPTY): Layout {
  const { blocks, start, top } = kept(before);
  const state = { blocks, top };
  let index = start;
  while (index < shapes.length) {
    const group = groupAt(shapes, index, frame);
    if (group.name && isUndated(group) && !state.blocks.some((block) => block.kind === 'undated')) {
      push(state, { kind: 'undated', key: 'undated', top: state.top, height: UNDATED_HEAD, from: index });
    }
    const days = group.name ? shelf(shapes, group, frame) : [];
    if (days.length > 1) {
      sideBySide(state, shapes, days, frame);
    } else {
      if (group.name) push(state, head(group, state.top, 0, frame.width));
      rows(state, shapes, group.from, group.to, frame);
    }
    index = days.at(-1)?.to ?? group.to;
  }
  return { blocks, height: state.top, count: shapes.length };
}

/** What of a layout stays when more comes behind it: all but the last days, which may go on, or get neighbours. */
function kept(before: Layout): { blocks: Block[]; start: number; top: number } {
  const blocks = [...before.blocks];
  let last = blocks.findLastIndex((block) => block.kind === 'day');
  if (last < 0) last = blocks.length - 1;
  // The first of those that share its row.
  while (last > 0 && blocks[last - 1]?.top === blocks[last]?.top) last -= 1;
  const block = blocks[last];
  if (!block) return { blocks: [], start: 0, top: 0 };
  blocks.length = last;
  const start = block.kind === 'row' ? (block.tiles[0]?.index ?? 0) : block.from;
  return { blocks, start, top: block.top };
}

interface Growing {
  blocks: Block[];
  top: number;
}

function push(state: Growing, block: Block): void {
  state.blocks.push(block);
  state.top += block.height;
}

/** Pictures that stand under one heading. */
interface Group {
  name: string;
  from: number;
  to: number;
}

function groupAt(shapes: readonly Shape[], from: number, frame: Frame): Group {
  const name = groupOf(shapes[from] as Shape, frame);
  let to = from + 1;
  while (to < shapes.length && groupOf(shapes[to] as Shape, frame) === name) to += 1;
  return { name, from, to };
}

const isUndated = (group: Group) => group.name.startsWith('undated ');

function head({ name, from, to }: Group, top: number, left: number, width: number): Block {
  const day = name.replace('undated ', '');
  return { kind: 'day', key: name, top, height: DAY_HEAD, left, width, day, from, to };
}

/** How wide a day is whose pictures stand in one row of a height; more than there is, where that is too much to be said. */
function widthOf(shapes: readonly Shape[], { from, to }: Group, height: number, frame: Frame): number {
  let width = -frame.gap;
  for (let index = from; index < to && width < frame.width; index += 1) {
    width += aspect(shapes[index] as Shape) * height + frame.gap;
  }
  return Math.max(width, DAY_WIDTH);
}

/** The days from this one on that fit into one row beside each other. */
function shelf(shapes: readonly Shape[], first: Group, frame: Frame): Group[] {
  const days: Group[] = [];
  let room = frame.width;
  let day = first;
  for (;;) {
    room -= widthOf(shapes, day, frame.rowHeight, frame);
    if (room < 0) return days;
    days.push(day);
    room -= frame.gap + DAY_GAP;
    if (day.to >= shapes.length) return days;
    day = groupAt(shapes, day.to, frame);
    // What has no date stands under a heading of its own.
    if (isUndated(day) !== isUndated(first)) return days;
  }
}

/** Days in one row, as high as fills it. */
function sideBySide(state: Growing, shapes: readonly Shape[], days: readonly Group[], frame: Frame): void {
  const height = shelfHeight(shapes, days, frame);
  const tiles: Tile[] = [];
  let left = 0;
  for (const day of days) {
    const width = widthOf(shapes, day, height, frame);
    state.blocks.push(head(day, state.top, left, width));
    let at = left;
    for (let index = day.from; index < day.to; index += 1) {
      const wide = aspect(shapes[index] as Shape) * height;
      tiles.push({ index, left: at, width: wide });
      at += wide + frame.gap;
    }
    left += width + frame.gap + DAY_GAP;
  }
  state.top += DAY_HEAD;
  const key = (shapes[days[0]?.from ?? 0] as Shape).id;
  push(state, { kind: 'row', key, top: state.top, height: height + frame.gap, tiles });
}

/** The height at which days fill a row, if that makes no giants of a few pictures. */
function shelfHeight(shapes: readonly Shape[], days: readonly Group[], frame: Frame): number {
  const between = (days.length - 1) * (frame.gap + DAY_GAP);
  const wide = (height: number) =>
    days.reduce((sum, day) => sum + widthOf(shapes, day, height, frame), between);
  const tallest = frame.rowHeight * 1.25;
  if (wide(tallest) <= frame.width) return tallest;
  // Widths grow with the height, piece by piece: halving finds it to a hundredth of a pixel.
  let [low, high] = [frame.rowHeight, tallest];
  while (high - low > 0.01) {
    const middle = (low + high) / 2;
    if (wide(middle) <= frame.width) low = middle;
    else high = middle;
  }
  return low;
}

function rows(state: Growing, shapes: readonly Shape[], from: number, to: number, frame: Frame): void {
  const { width, rowHeight, gap } = frame;
  let first = from;
  let sum = 0;
  for (let index = from; index < to; index += 1) {
    sum += aspect(shapes[index] as Shape);
    const room = width - gap * (index - first);
    if (sum * rowHeight < room && index < to - 1) continue;
    // A row that isn't full keeps the usual height, rather than making giants of the last two pictures.
    const height = Math.min(room / sum, rowHeight * 1.15);
    row(state, shapes, first, index + 1, height, frame);
    first = index + 1;
    sum = 0;
  }
}

function row(
  state: Growing,
  shapes: readonly Shape[],
  from: number,
  to: number,
  height: number,
  frame: Frame,
): void {
  const tiles: Tile[] = [];
  let left = 0;
  for (let index = from; index < to; index += 1) {
    const width = Math.min(aspect(shapes[index] as Shape) * height, frame.width);
    tiles.push({ index, left, width });
    left += width + frame.gap;
  }
  const key = (shapes[from] as Shape).id;
  push(state, { kind: 'row', key, top: state.top, height: height + frame.gap, tiles });
}

/** The first block that ends below `top`. */
function firstBelow(blocks: readonly Block[], top: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const block = blocks[middle] as Block;
    if (block.top + block.height <= top) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The blocks of which something lies between two heights. */
export function between(layout: Layout, top: number, bottom: number): Block[] {
  const found: Block[] = [];
  for (let index = firstBelow(layout.blocks, top); index < layout.blocks.length; index += 1) {
    const block = layout.blocks[index] as Block;
    if (block.top >= bottom) break;
    found.push(block);
  }
  return found;
}

/** The day whose pictures stand at a height; null where none do, or they stand under no day. */
export function dayAt(layout: Layout, top: number): string | null {
  for (
    let index = Math.min(firstBelow(layout.blocks, top), layout.blocks.length - 1);
    index >= 0;
    index -= 1
  ) {
    const block = layout.blocks[index] as Block;
    // Of days side by side the first is named.
    if (block.kind === 'day' && block.left === 0) return block.day;
  }
  return null;
}

type Row = Extract<Block, { kind: 'row' }>;

/** The row a picture stands in. */
export function rowOf(layout: Layout, index: number): Row | undefined {
  return layout.blocks.find(
    (block): block is Row => block.kind === 'row' && block.tiles.some((tile) => tile.index === index),
  );
}

/** The picture above (-1) or below (1) another, as near as can be. */
export function beside(layout: Layout, index: number, step: 1 | -1): number | null {
  const rows = layout.blocks.filter((block): block is Row => block.kind === 'row');
  const at = rows.findIndex((row) => row.tiles.some((tile) => tile.index === index));
  const tile = rows[at]?.tiles.find((tile) => tile.index === index);
  const next = rows[at + step];
  if (!tile || !next) return null;
  const middle = tile.left + tile.width / 2;
  const distance = (other: Tile) => Math.abs(other.left + other.width / 2 - middle);
  return next.tiles.reduce((best, other) => (distance(other) < distance(best) ? other : best)).index;
}
