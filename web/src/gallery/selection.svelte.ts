import { SvelteSet } from 'svelte/reactivity';

import type { Image } from '../api/types';

/** Which pictures are chosen: one by one, from one to another with shift, or by drawing over them. */
export class Selection {
  readonly ids = new SvelteSet<string>();
  private anchor: number | null = null;
  private drawing: { from: number; choose: boolean; before: ReadonlySet<string> } | null = null;

  get size(): number {
    return this.ids.size;
  }

  toggle(images: readonly Image[], index: number): void {
    const image = images[index];
    if (!image) return;
    if (!this.ids.delete(image.id)) this.ids.add(image.id);
    this.anchor = index;
  }

  /** From the last one that was toggled to this one. */
  extend(images: readonly Image[], index: number): void {
    this.range(images, this.anchor ?? index, index);
  }

  range(images: readonly Image[], from: number, to: number): void {
    for (let at = Math.min(from, to); at <= Math.max(from, to); at += 1) {
      const image = images[at];
      if (image) this.ids.add(image.id);
    }
  }

  /** Begins to draw: what is drawn over becomes what the first one becomes. */
  begin(images: readonly Image[], index: number): void {
    const image = images[index];
    if (!image) return;
    this.drawing = { from: index, choose: !this.ids.has(image.id), before: new Set(this.ids) };
    this.anchor = index;
    this.draw(images, index);
  }

  get isDrawing(): boolean {
    return this.drawing !== null;
  }

  draw(images: readonly Image[], index: number): void {
    if (!this.drawing) return;
    const { from, choose, before } = this.drawing;
    const over = new Set<string>();
    for (let at = Math.min(from, index); at <= Math.max(from, index); at += 1) {
      const image = images[at];
      if (image) over.add(image.id);
    }
    for (const id of new Set([...this.ids, ...before, ...over])) {
      const chosen = over.has(id) ? choose : before.has(id);
      if (chosen) this.ids.add(id);
      else this.ids.delete(id);
    }
  }

  end(): void {
    this.drawing = null;
  }

  clear(): void {
    this.ids.clear();
    this.anchor = null;
  }
}
