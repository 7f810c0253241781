import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export interface Digests {
  md5: string;
  sha256: string | null;
}

interface Asked {
  id: number;
  file: File;
  withSha256: boolean;
}

async function read(file: File, withSha256: boolean): Promise<Digests> {
  const [first, second] = [md5.create(), withSha256 ? sha256.create() : null];
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    first.update(value);
    second?.update(value);
  }
  return { md5: bytesToHex(first.digest()), sha256: second ? bytesToHex(second.digest()) : null };
}

// One file after the other: two at once would only be slower.
let last: Promise<unknown> = Promise.resolve();

self.onmessage = (event: MessageEvent<Asked>) => {
  const { id, file, withSha256 } = event.data;
  last = last.then(async () => {
    try {
      self.postMessage({ id, digests: await read(file, withSha256) });
    } catch {
      self.postMessage({ id });
    }
  });
};
