import { findByDigest, patchImage } from '../api/images';
import type { Image } from '../api/types';
import { digest } from './digest';
import { seconds } from './usual';
import type { Wishes } from './uploader';

/** Past this, reading a file to its end takes longer than most people wait for the bar to move. */
const LARGEST = 512 * 1024 * 1024;

/** When an upload of now would end: null is never. */
export function endOf(expiresIn: string | null, usualSeconds: number, now: number): number | null {
  const lifetime = expiresIn === null ? usualSeconds : seconds(expiresIn);
  return lifetime === 0 ? null : now + lifetime * 1000;
}

/** The end that an image must get so that it lives at least as long as an upload of now asks; undefined where it does. */
export function extended(image: Image, wanted: number | null): string | null | undefined {
  if (image.expires_at === null) return undefined;
  if (wanted === null) return null;
  return Date.parse(image.expires_at) < wanted ? new Date(wanted).toISOString() : undefined;
}

/**
 * The image that these bytes are already, if the owner has one: nothing needs to be sent. Like an upload of the same bytes
 * it makes that image live on.
 *
 * SECURITY: two files can be made that share an MD5, so a match is believed only when the SHA-256 has one, too.
 */
export async function findAlready(
  file: File,
  wishes: Wishes,
  usualSeconds: number | null,
): Promise<Image | null> {
  if (file.size > LARGEST || usualSeconds === null) return null;
  const { md5 } = await digest(file, false);
  if ((await findByDigest({ md5 })).length === 0) return null;
  const { sha256 } = await digest(file, true);
  const [image] = sha256 === null ? [] : await findByDigest({ sha256 });
  if (!image) return null;
  const end = extended(image, endOf(wishes.expiresIn, usualSeconds, Date.now()));
  const living = end === undefined ? image : await patchImage(image.id, { expires_at: end }, null);
  return { ...living, status: 'existing' };
}
