import { changeMany, listImages, type BulkAction } from '../api/images';
import type { Image } from '../api/types';
import { asked, type Filters } from './filters';

const PAGE = 200;

/** The pictures of the gallery, page by page as they come. */
export class Library {
  images = $state.raw<Image[]>([]);
  loading = $state(false);
  /** All pages are here. */
  whole = $state(false);
  /** Something went wrong; `more` tries again. */
  error = $state<unknown>(null);
  /** Counts how often the list began anew, or lost something in its middle: what was laid out is void. */
  generation = $state(0);
  private filters: Filters | null = null;
  private next: string | null = null;
  private asking: AbortController | null = null;

  /** Begins anew with other filters. */
  async show(filters: Filters): Promise<void> {
    this.asking?.abort();
    this.asking = null;
    this.filters = filters;
    this.next = null;
    this.whole = false;
    this.loading = false;
    await this.more(true);
  }

  /** Fetches the next page. */
  async more(anew = false): Promise<void> {
    if (this.loading || this.whole || !this.filters) return;
    const asking = (this.asking = new AbortController());
    this.loading = true;
    this.error = null;
    try {
      const query = { ...asked(this.filters, Date.now()), limit: PAGE, after: this.next };
      const page = await listImages(query, asking.signal);
      if (asking.signal.aborted) return;
      if (anew) this.generation += 1;
      this.images = anew ? page.items : [...this.images, ...page.items];
      this.next = page.next;
      this.whole = page.next === null;
    } catch (error) {
      if (asking.signal.aborted) return;
      if (anew) this.images = [];
      this.error = error;
    } finally {
      if (this.asking === asking) this.loading = false;
    }
  }

  /** Puts an image in place of what it was. */
  update(image: Image): void {
    this.images = this.images.map((other) => (other.id === image.id ? { ...other, ...image } : other));
    this.generation += 1;
  }

  remove(ids: ReadonlySet<string>): void {
    this.images = this.images.filter((image) => !ids.has(image.id));
    this.generation += 1;
  }

  /** Puts images back where they stood. */
  putBack(images: { image: Image; index: number }[]): void {
    const all = [...this.images];
    for (const { image, index } of images) all.splice(index, 0, image);
    this.images = all;
    this.generation += 1;
  }

  async change(ids: string[], action: BulkAction): Promise<Set<string>> {
    const done = await changeMany(ids, action);
    const patch: Partial<Image> | null =
      action.action === 'move'
        ? { album: action.album }
        : action.action === 'expire'
          ? { expires_at: action.expires_at }
          : action.action === 'visibility'
            ? { visibility: action.visibility }
            : null;
    if (patch) {
      this.images = this.images.map((image) => (done.has(image.id) ? { ...image, ...patch } : image));
      this.generation += 1;
    }
    return done;
  }
}
