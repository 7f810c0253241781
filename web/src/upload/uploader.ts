import type { Image, Scrub, Visibility } from '../api/types';

/** What is said about files when they are sent. */
export interface Wishes {
  album: number | null;
  /** As `7d`; `0` is for ever; null is the server's usual time. */
  expiresIn: string | null;
  /** Null is as the album's and the site's policies say. */
  visibility: Visibility | null;
  /** What of the metadata goes; null is as the account and the settings say. */
  scrub: Scrub | null;
}

/** The options of an upload as a tus upload's metadata; what is not said is left out. */
export function fields({ album, expiresIn, visibility, scrub }: Wishes): Record<string, string> {
  const said = { album: album?.toString(), expires_in: expiresIn, visibility, scrub };
  return Object.fromEntries(
    Object.entries(said).filter((field): field is [string, string] => typeof field[1] === 'string'),
  );
}

/** What becomes of a file on its way. */
export interface Listener {
  /** How many of its bytes have left. */
  sent(bytes: number): void;
  /** The line is broken, or berth is away: it is tried again and again. Over with the next byte that is sent. */
  waits(): void;
}

/** A file on its way. `done` fails with a Problem, with Unreachable, or with an AbortError. */
export interface Sending {
  done: Promise<Image>;
  /** Stops for now; `resume` goes on where the server has got to. */
  pause(): void;
  resume(): void;
  abort(): void;
}
