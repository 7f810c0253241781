import type { Limits } from '../api/types';
import type { Words } from '../words/en';
import { size } from '../words/figures';

/** What the server would refuse anyway, told before a byte is sent. Empty where it may go. */
export function refusal(file: File, limits: Limits | null, words: Words['upload']): string {
  if (file.size === 0) return words.empty;
  if (!limits) return '';
  // Files without a known type are left to the server, which looks at their bytes.
  const known = /^(image|video)\//.test(file.type);
  if (file.type !== '' && !known) return words.typeRefused;
  const most = file.type.startsWith('video/') ? limits.video_bytes : limits.image_bytes;
  const limit = known ? most : Math.max(limits.image_bytes, limits.video_bytes);
  return file.size > limit ? words.tooLarge(size(limit)) : '';
}

/** Says of one file after the other whether it still fits into the batch that is on its way. */
export function batchRoom(live: File[], limits: Limits | null): (file: File) => boolean {
  let files = live.length;
  let bytes = live.reduce((sum, file) => sum + file.size, 0);
  return (file) => {
    const fits =
      !limits || (files < limits.files && bytes + file.size <= limits.request_bytes) || files === 0;
    files += 1;
    bytes += file.size;
    return fits;
  };
}

const SHORT: Record<string, string> = {
  jpg: 'JPEG',
  jpeg: 'JPEG',
  png: 'PNG',
  gif: 'GIF',
  webp: 'WebP',
  avif: 'AVIF',
  heic: 'HEIC',
  heif: 'HEIC',
  bmp: 'BMP',
  tiff: 'TIFF',
  tif: 'TIFF',
  mp4: 'MP4',
  m4v: 'MP4',
  mov: 'MOV',
  quicktime: 'MOV',
  msvideo: 'AVI',
  webm: 'WebM',
  mkv: 'MKV',
  matroska: 'MKV',
};

/** The types that are taken, as people call them. */
export function typeNames(types: readonly string[]): string {
  const names = types.map((type) => {
    const word = type.replace(/^.*\//, '').replace(/^x-/, '').toLowerCase();
    return SHORT[word] ?? word.toUpperCase();
  });
  return [...new Set(names)].join(', ');
}
