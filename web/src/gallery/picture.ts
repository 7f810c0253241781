import { thumbHashToDataURL } from 'thumbhash';

import { local } from '../api/client';
import type { Image } from '../api/types';

/** What shows an image itself: private ones by the link that is made for their owner. */
export function sourceOf(image: Image): string {
  return local(image.signed_url ?? image.url);
}

/** A picture of an image that is good enough for so many CSS pixels of width; null where there is none. */
export function pictureFor(image: Image, cssWidth: number): string | null {
  const pixels = Math.ceil(cssWidth * Math.min(2, globalThis.devicePixelRatio || 1));
  if (image.signed_url) {
    // A private image's thumbnail is signed for its own width alone; this link opens every width.
    const url = new URL(local(image.signed_url));
    url.searchParams.set('w', String(pixels));
    url.searchParams.set('f', 'webp');
    return url.href;
  }
  if (!image.thumbnail_url) return image.kind === 'image' ? local(image.url) : null;
  const url = new URL(local(image.thumbnail_url));
  // The server goes up to the next width that it has. A private image's is signed, for its own width alone.
  if (url.searchParams.has('w') && !url.searchParams.has('s')) url.searchParams.set('w', String(pixels));
  return url.href;
}

/** A blur of some 30 bytes that stands until the picture is there. */
export function blurOf(image: Image): string | null {
  if (!image.thumbhash) return null;
  try {
    const bytes = Uint8Array.from(atob(image.thumbhash), (sign) => sign.charCodeAt(0));
    return `url("${thumbHashToDataURL(bytes)}")`;
  } catch {
    return null;
  }
}
