import type { Image, Visibility } from '../api/types';

/** What is said about files when they are sent. */
export interface Wishes {
  album: number | null;
  /** As `7d`; `0` is for ever; null is the server's usual time. */
  expiresIn: string | null;
  visibility: Visibility;
}

/** What becomes of a file on its way. */
export interface Listener {
  /** How many of its bytes have left. */
  sent(bytes: number): void;
}

/** A file on its way. `done` fails with a Problem, with Unreachable, or with an AbortError. */
export interface Sending {
  done: Promise<Image>;
  /** Stops for now; `resume` goes on where the server has got to. Absent where an upload can't be taken up again. */
  pause?: () => void;
  resume?: () => void;
  abort(): void;
}

/** A way to send a file. */
export interface Uploader {
  send(file: File, wishes: Wishes, listener: Listener): Sending;
}
