import type { Album } from '../api/types';
import type { Words } from '../words/en';

/** Everyone's `default` album is shown in the reader's own language. */
export function shownName(album: Pick<Album, 'name' | 'is_default'>, words: Words): string {
  return album.is_default ? words.albums.defaultName : album.name;
}
