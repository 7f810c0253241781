import type { DetailedError, Upload as TusUpload } from 'tus-js-client';

import { ask, endpoint, signInAgain } from '../api/client';
import { Problem, readProblem, Unreachable } from '../api/problem';
import type { Image } from '../api/types';
import { session } from '../session/session.svelte';
import { language } from '../words/language.svelte';
import { fields, type Listener, type Sending, type Wishes } from './uploader';

const PREFIX = 'berth';

/** A file of a few pieces goes with the request that begins its upload; what is larger must be able to go on after a break. */
const AT_ONCE = 256 * 1024;

/** Sends a file by tus 1.0: what has arrived stays arrived, across a lost line, a pause, and a reload of the page. */
export function send(file: File, wishes: Wishes, listener: Listener): Sending {
  const course = new Course(file, wishes, listener);
  return {
    done: course.done,
    pause: () => course.pause(),
    resume: () => course.start(),
    abort: () => course.abort(),
  };
}

class Course {
  readonly done: Promise<Image>;
  private upload: TusUpload | null = null;
  private paused = false;
  private over = false;
  private signedInAgain = false;
  private readonly settle = Promise.withResolvers<Image>();

  constructor(
    private readonly file: File,
    private readonly wishes: Wishes,
    private readonly listener: Listener,
  ) {
    this.done = this.settle.promise;
    this.begin().catch((error: unknown) => this.fail(error));
  }

  start(): void {
    this.paused = false;
    this.upload?.start();
  }

  pause(): void {
    this.paused = true;
    void this.upload?.abort();
  }

  abort(): void {
    this.fail(new DOMException('cancelled', 'AbortError'));
    // The server need not keep what nobody wants any more.
    this.upload?.abort(true).catch(() => undefined);
  }

  private async begin(): Promise<void> {
    const { Upload } = await import('tus-js-client');
    const upload = new Upload(this.file, {
      endpoint: endpoint('v1/uploads'),
      retryDelays: [0, 1000, 2000, 4000, 8000, 15_000, 30_000],
      metadata: metadata(this.file, this.wishes),
      headers: { 'accept-language': language.tag },
      fingerprint: () => Promise.resolve(fingerprint(this.file, this.wishes)),
      removeFingerprintOnSuccess: true,
      uploadDataDuringCreation: this.file.size <= AT_ONCE,
      onProgress: (sent) => this.listener.sent(sent),
      onShouldRetry: (error) => {
        const status = (error as DetailedError).originalResponse?.getStatus() ?? 0;
        if (status === 0) this.listener.waits();
        // No room (507) is the end of it: a quota is not lifted by asking again.
        return [0, 409, 423, 429].includes(status) || (status >= 500 && status !== 507);
      },
      onError: (error) => void this.stumble(error).catch((reason: unknown) => this.fail(reason)),
      onSuccess: () => void this.arrive().catch((reason: unknown) => this.fail(reason)),
    });
    this.upload = upload;
    const [before] = await upload.findPreviousUploads();
    if (before) upload.resumeFromPreviousUpload(before);
    if (!this.paused && !this.over) upload.start();
  }

  /** Takes up an upload again that can go on: after signing in, or when the line is back. */
  private async stumble(error: Error | DetailedError): Promise<void> {
    const response = 'originalResponse' in error ? error.originalResponse : null;
    if (response?.getStatus() === 401 && !this.signedInAgain) {
      this.signedInAgain = true;
      await signInAgain();
      this.upload?.start();
    } else if (!response && !navigator.onLine) {
      window.addEventListener('online', () => !this.paused && !this.over && this.upload?.start(), {
        once: true,
      });
    } else if (response) {
      throw readProblem(response.getStatus(), response.getBody(), response.getHeader('retry-after') ?? null);
    } else {
      throw new Unreachable();
    }
  }

  private async arrive(): Promise<void> {
    const id = this.upload?.url?.replace(/\/+$/, '').split('/').at(-1) ?? '';
    const { image } = await ask<{ image: Image | null }>('GET', `v1/uploads/${id}`);
    if (!image) throw new Problem(404, 'not_found', language.words.common.failed);
    this.over = true;
    this.settle.resolve(image);
  }

  private fail(reason: unknown): void {
    this.over = true;
    this.settle.reject(reason);
  }
}

function metadata(file: File, wishes: Wishes): Record<string, string> {
  return {
    filename: file.name,
    filetype: file.type || 'application/octet-stream',
    ...fields(wishes),
  };
}

/** The same file with the same wishes of the same account is the same upload. */
function fingerprint(file: File, wishes: Wishes): string {
  const parts = [session.account?.id, file.name, file.size, file.lastModified, JSON.stringify(wishes)];
  return `${PREFIX}-${parts.join('-')}`;
}

const KEYS = `tus::${PREFIX}-`;

/** How many uploads had begun and not ended when the page was left. */
export function interrupted(storage: Storage = localStorage): number {
  return Object.keys(storage).filter((key) => key.startsWith(KEYS)).length;
}

export function forgetInterrupted(storage: Storage = localStorage): void {
  for (const key of Object.keys(storage)) if (key.startsWith(KEYS)) storage.removeItem(key);
}
