import type { Image } from '../api/types';

/** Where the viewer's pictures come from, and who hears of what is done to them. */
export interface Source {
  readonly images: readonly Image[];
  more?: () => Promise<void>;
  changed?: (image: Image) => void;
  withdraw?: (image: Image) => void;
}

/** The picture that is looked at, over whatever view. Back closes it. */
class Viewer {
  source = $state.raw<Source | null>(null);
  index = $state(0);
  details = $state(false);
  private focus: Element | null = null;

  constructor() {
    globalThis.addEventListener?.('popstate', () => this.end());
  }

  get open(): boolean {
    return this.source !== null;
  }

  get image(): Image | undefined {
    return this.source?.images[this.index];
  }

  show(images: readonly Image[] | Source, index: number, details = false): void {
    this.source = 'images' in images ? images : { images };
    this.index = index;
    this.details = details;
    this.focus = document.activeElement;
    history.pushState({ viewer: true }, '');
  }

  close(): void {
    if (history.state?.viewer) history.back();
    else this.end();
  }

  step(by: 1 | -1): void {
    const source = this.source;
    if (!source) return;
    const to = this.index + by;
    if (to < 0 || to >= source.images.length) return;
    this.index = to;
    if (to > source.images.length - 5) void source.more?.();
  }

  private end(): void {
    if (!this.source) return;
    this.source = null;
    const back = this.focus;
    // The rest is inert until the next moment.
    requestAnimationFrame(() => {
      if (back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true });
    });
  }
}

export const viewer = new Viewer();
