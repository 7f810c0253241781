import { ask, askTagged, type Query } from './client';
import type { Image, Page, Policy, Visibility } from './types';

export type Sort = 'taken' | 'newest' | 'oldest' | 'name' | 'size';

export type BulkAction =
  | { action: 'withdraw' | 'restore' }
  | { action: 'move'; album: number }
  | { action: 'expire'; expires_at: string | null }
  | { action: 'visibility'; visibility: Visibility };

export interface ImagePatch {
  name?: string;
  description?: string;
  album?: number;
  expires_at?: string | null;
  visibility?: Visibility;
  policy?: Policy | null;
}

export async function listImages(query: Query, signal?: AbortSignal): Promise<Page<Image>> {
  const options = signal ? { query, signal } : { query };
  const page = await ask<{ images: Image[]; next: string | null }>('GET', 'v1/images', options);
  return { items: page.images, next: page.next };
}

/** The image and its tag, to be sent back as `If-Match`. */
export function findImage(id: string): Promise<[Image, string | null]> {
  return askTagged<Image>(`v1/images/${id}`);
}

export function patchImage(id: string, patch: ImagePatch, tag: string | null): Promise<Image> {
  return ask<Image>('PATCH', `v1/images/${id}`, { body: patch, headers: tag ? { 'if-match': tag } : {} });
}

export function replaceContent(id: string, file: File): Promise<Image> {
  return ask<Image>('PUT', `v1/images/${id}/content`, {
    body: file,
    headers: { 'content-type': file.type || 'application/octet-stream' },
  });
}

/** One's own live images of these bytes, or for which these bytes were sent: what is stored may have less told beside it. */
export async function findByDigest(digest: { md5: string } | { sha256: string }): Promise<Image[]> {
  return (await ask<{ images: Image[] }>('GET', 'v1/images/exists', { query: digest })).images;
}

const MOST = 1000;

/** Does one thing to many images; the ids of those for which it went well. */
export async function changeMany(ids: string[], action: BulkAction): Promise<Set<string>> {
  const done = new Set<string>();
  for (let start = 0; start < ids.length; start += MOST) {
    const body = { ids: ids.slice(start, start + MOST), ...action };
    const answer = await ask<{ results: { id: string; ok: boolean }[] }>('POST', 'v1/images/bulk', { body });
    for (const result of answer.results) if (result.ok) done.add(result.id);
  }
  return done;
}
