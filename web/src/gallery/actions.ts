import type { BulkAction } from '../api/images';
import type { Image } from '../api/types';
import { toasts } from '../shell/toasts.svelte';
import { language } from '../words/language.svelte';
import type { Library } from './library.svelte';

/** Withdraws images and offers to undo it. They leave the list at once. */
export async function withdrawWithUndo(library: Library, ids: ReadonlySet<string>): Promise<void> {
  const stood = library.images.flatMap((image, index) => (ids.has(image.id) ? [{ image, index }] : []));
  library.remove(ids);
  try {
    const done = await library.change([...ids], { action: 'withdraw' });
    const left = stood.filter(({ image }) => !done.has(image.id));
    if (left.length > 0) library.putBack(left);
    const gone = stood.filter(({ image }) => done.has(image.id));
    tell(done.size, ids.size, language.words.gallery.withdrawn, () => void bringBack(library, gone));
  } catch (error) {
    library.putBack(stood);
    toasts.fail(error);
  }
}

async function bringBack(library: Library, stood: { image: Image; index: number }[]): Promise<void> {
  try {
    const done = await library.change(
      stood.map(({ image }) => image.id),
      { action: 'restore' },
    );
    library.putBack(stood.filter(({ image }) => done.has(image.id)));
    tell(done.size, stood.length, language.words.gallery.restored);
  } catch (error) {
    toasts.fail(error);
  }
}

/** Does one thing to images that stay where they are, or leave the list they no longer fit. */
export async function changeAll(
  library: Library,
  ids: ReadonlySet<string>,
  action: BulkAction,
  words: (count: number) => string,
  leaves = false,
): Promise<void> {
  try {
    const done = await library.change([...ids], action);
    if (leaves) library.remove(done);
    tell(done.size, ids.size, words);
  } catch (error) {
    toasts.fail(error);
  }
}

function tell(done: number, all: number, words: (count: number) => string, undo?: () => void): void {
  if (done < all) toasts.fail(language.words.gallery.partly(done, all));
  if (done > 0) toasts.say(words(done), undo && { label: language.words.common.undo, run: undo });
}
