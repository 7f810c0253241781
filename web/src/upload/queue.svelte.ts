import { told } from '../api/client';
import { Problem, Unreachable } from '../api/problem';
import type { Image } from '../api/types';
import { albums } from '../api/albums.svelte';
import { session } from '../session/session.svelte';
import { language } from '../words/language.svelte';
import { findAlready } from './already';
import { batchRoom, refusal } from './admission';
import { forget, keep, takeUp } from './kept';
import { Speed } from './speed';
import type { Sending, Wishes } from './uploader';
import { send } from './tus-uploader';
import { usual } from './usual';

export type Phase =
  'waiting' | 'checking' | 'sending' | 'finishing' | 'paused' | 'done' | 'failed' | 'cancelled';

const UNDER_WAY: readonly Phase[] = ['checking', 'sending', 'finishing'];

/** A file and what becomes of it. */
export class Item {
  phase = $state<Phase>('waiting');
  sent = $state(0);
  /** It is being sent, and nothing gets through. */
  waits = $state(false);
  image = $state<Image | null>(null);
  /** Why it failed, for people. */
  why = $state('');
  /** Whether it may go well when it is tried again. */
  canRetry = $state(true);
  sending: Sending | null = null;
  /** Under which key the browser keeps the file until it is over. */
  kept: Promise<string | null> | null = null;
  readonly preview: string | null;

  constructor(
    readonly id: number,
    readonly file: File,
    readonly wishes: Wishes,
  ) {
    this.preview = file.type.startsWith('image/') && file.size < 40e6 ? URL.createObjectURL(file) : null;
  }

  get over(): boolean {
    return this.phase === 'done' || this.phase === 'failed' || this.phase === 'cancelled';
  }

  get canPause(): boolean {
    return this.phase === 'sending' && this.sending !== null;
  }
}

/** Files on their way at once: more would only share the same line. */
const AT_ONCE = 3;

const AS_USUAL: Wishes = { album: null, expiresIn: null, visibility: null, scrub: null };

class Queue {
  items = $state<Item[]>([]);
  /** For the files that are added next. */
  wishes = $state<Wishes>({ ...AS_USUAL });
  speed = $state<number | null>(null);
  secondsLeft = $state<number | null>(null);
  private meter = new Speed();
  private next = 1;
  /** What was under way before has been taken up, if there was anything. */
  ready = $state(false);
  private ticking = false;
  private tookUp = false;

  readonly finished = $derived(this.items.filter((item) => item.image !== null));
  readonly failed = $derived(this.items.filter((item) => item.phase === 'failed'));
  readonly busy = $derived(this.items.some((item) => !item.over && item.phase !== 'paused'));
  /** How much of all bytes has left, from 0 to 1. */
  readonly share = $derived.by(() => {
    const counted = this.items.filter((item) => item.phase !== 'cancelled' && item.phase !== 'failed');
    const all = counted.reduce((sum, item) => sum + item.file.size, 0);
    return all === 0 ? 0 : counted.reduce((sum, item) => sum + item.sent, 0) / all;
  });

  constructor() {
    session.onLeave(() => this.drop());
  }

  add(files: Iterable<File>, wishes: Wishes = $state.snapshot(this.wishes)): void {
    const items = Array.from(files, (file) => {
      const item = new Item(this.next++, file, { ...wishes });
      const why = refusal(file, session.limits, language.words.upload);
      if (why) {
        item.phase = 'failed';
        item.why = why;
        item.canRetry = false;
      } else if (session.account) {
        item.kept = keep(file, item.wishes, session.account.id);
      }
      return item;
    });
    this.items.push(...items);
    this.turn();
  }

  /** Goes on with what was under way when the page was loaded again; how many files that are. */
  async takeUp(): Promise<number> {
    if (this.tookUp || !session.account) return 0;
    this.tookUp = true;
    const left = await takeUp(session.account.id);
    for (const { file, wishes } of left) this.add([file], wishes);
    this.ready = true;
    return left.length;
  }

  cancel(item: Item): void {
    if (item.over) return;
    item.phase = 'cancelled';
    item.sending?.abort();
    this.letGo(item);
    this.turn();
  }

  pause(item: Item): void {
    if (!item.canPause) return;
    item.sending?.pause();
    item.phase = 'paused';
    this.turn();
  }

  resume(item: Item): void {
    if (item.phase !== 'paused') return;
    item.phase = 'sending';
    item.sending?.resume();
    this.tick();
  }

  retry(item: Item): void {
    if (item.phase !== 'failed' && item.phase !== 'cancelled') return;
    Object.assign(item, { phase: 'waiting', sent: 0, waits: false, why: '', sending: null });
    this.turn();
  }

  cancelAll(): void {
    for (const item of this.items) this.cancel(item);
  }

  retryAll(): void {
    for (const item of this.failed) if (item.canRetry) this.retry(item);
  }

  /** Takes what is over off the list. */
  clear(): void {
    for (const item of this.items) {
      if (!item.over) continue;
      if (item.preview) URL.revokeObjectURL(item.preview);
      this.letGo(item);
    }
    this.items = this.items.filter((item) => !item.over);
  }

  /** Gives up everything. */
  private drop(): void {
    this.cancelAll();
    this.clear();
    this.wishes = { ...AS_USUAL };
    this.tookUp = false;
  }

  /** Starts as many as may be on their way. */
  private turn(): void {
    const live = this.items.filter((item) => UNDER_WAY.includes(item.phase));
    let room = AT_ONCE - live.length;
    const batch = batchRoom(
      live.map((item) => item.file),
      session.limits,
    );
    for (const item of this.items) {
      if (room <= 0) break;
      if (item.phase !== 'waiting') continue;
      if (!batch(item.file)) break;
      room -= 1;
      void this.run(item);
    }
    this.tick();
  }

  private async run(item: Item): Promise<void> {
    item.phase = 'checking';
    try {
      item.image = (await this.already(item)) ?? (await this.send(item));
      item.sent = item.file.size;
      item.phase = 'done';
    } catch (error) {
      this.fail(item, error);
    }
    if (item.phase === 'done' || !item.canRetry) this.letGo(item);
    this.turn();
  }

  /** Nothing more becomes of it: the browser need not keep its bytes. */
  private letGo(item: Item): void {
    void item.kept?.then((key) => (key === null ? undefined : forget(key)));
    item.kept = null;
  }

  /** The check that spares the sending; when it can't be made, the file is sent. */
  private async already(item: Item): Promise<Image | null> {
    try {
      const site = session.uploads;
      const album = albums.chosen(item.wishes.album);
      const lifetime = site && usual(site, album?.policy).lifetime_seconds;
      return await findAlready(item.file, item.wishes, lifetime);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) throw error;
      return null;
    }
  }

  private async send(item: Item): Promise<Image> {
    if (isCancelled(item)) throw new DOMException('cancelled', 'AbortError');
    item.phase = 'sending';
    item.sending = send(item.file, item.wishes, {
      waits: () => {
        item.waits = true;
        if (item.phase === 'finishing') item.phase = 'sending';
      },
      sent: (bytes) => {
        item.sent = bytes;
        item.waits = false;
        if (item.phase === 'sending' && bytes >= item.file.size) item.phase = 'finishing';
      },
    });
    return item.sending.done;
  }

  private fail(item: Item, error: unknown): void {
    item.sent = 0;
    if (isCancelled(item)) return;
    item.phase = 'failed';
    item.why = told(error);
    item.canRetry =
      error instanceof Unreachable || !(error instanceof Problem) || ![413, 415, 422].includes(error.status);
  }

  /** Keeps the speed while something is on its way. */
  private tick(): void {
    if (this.ticking || !this.busy) return;
    this.ticking = true;
    this.meter = new Speed();
    const step = () => {
      const going = this.items.filter((item) => !item.over);
      const sent = this.items.reduce((sum, item) => sum + (item.phase === 'cancelled' ? 0 : item.sent), 0);
      this.meter.mark(sent, performance.now());
      this.speed = this.meter.now;
      this.secondsLeft = this.meter.left(going.reduce((sum, item) => sum + item.file.size - item.sent, 0));
      if (this.busy) setTimeout(step, 500);
      else {
        this.ticking = false;
        this.speed = this.secondsLeft = null;
      }
    };
    step();
  }
}

function isCancelled(item: Item): boolean {
  return item.phase === 'cancelled';
}

export const queue = new Queue();
