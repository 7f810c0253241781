import type { Digests } from './digest.worker';

export type { Digests };

let worker: Worker | null = null;
let next = 1;
const waiting = new Map<number, { resolve: (digests: Digests) => void; reject: (reason: Error) => void }>();

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL('./digest.worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = (event: MessageEvent<{ id: number; digests?: Digests }>) => {
    const { id, digests } = event.data;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (digests) asked?.resolve(digests);
    else asked?.reject(new Error('the file could not be read'));
  };
  worker.onerror = () => {
    for (const { reject } of waiting.values()) reject(new Error('no worker'));
    waiting.clear();
    worker = null;
  };
  return worker;
}

/** The MD5 of a file, and its SHA-256 where that is wanted, computed beside the page. */
export function digest(file: File, withSha256: boolean): Promise<Digests> {
  const { promise, resolve, reject } = Promise.withResolvers<Digests>();
  const id = next++;
  waiting.set(id, { resolve, reject });
  started().postMessage({ id, file, withSha256 });
  return promise;
}
