import type { Wishes } from './uploader';

/**
 * Files that are on their way, kept by the browser itself, so that a page that is loaded again goes on with them. What is kept
 * belongs to one tab and one account: another tab must not send the same file beside this one.
 */
export interface Kept {
  key: string;
  tab: string;
  account: number;
  at: number;
  file: File;
  wishes: Wishes;
}

/** More than this is not kept: keeping is copying. Whoever chooses such a file again goes on where it stopped, too. */
export const LARGEST_KEPT = 512 * 1024 * 1024;

/** The server has dropped what nobody went on with for so long (`BERTH_UPLOADS_KEEP`, as it is set by default). */
const KEPT_FOR = 24 * 3600 * 1000;

const NAME = 'berth';
const STORE = 'uploads';
const TAB = 'berth.tab';

/** This tab's own name: it stays while the tab is loaded again, and another tab has another one. */
function tab(): string {
  const known = sessionStorage.getItem(TAB);
  if (known) return known;
  const drawn = crypto.getRandomValues(new Uint32Array(3)).join('-');
  sessionStorage.setItem(TAB, drawn);
  return drawn;
}

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no database'));
  });
  return opened;
}

async function asked<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const store = (await database()).transaction(STORE, mode).objectStore(STORE);
  return new Promise((resolve, reject) => {
    const request = ask(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'));
  });
}

/** Keeps a file until `forget`; its key, or null where the browser keeps nothing (private windows, a full disk). */
export async function keep(file: File, wishes: Wishes, account: number): Promise<string | null> {
  if (file.size > LARGEST_KEPT) return null;
  const key = crypto.getRandomValues(new Uint32Array(3)).join('-');
  try {
    await asked('readwrite', (store) =>
      store.add({ key, tab: tab(), account, at: Date.now(), file, wishes } satisfies Kept),
    );
    return key;
  } catch {
    return null;
  }
}

export async function forget(key: string): Promise<void> {
  await asked('readwrite', (store) => store.delete(key)).catch(() => undefined);
}

/** Takes out what this tab kept for this account; what is too old to be gone on with is dropped on the way. */
export async function takeUp(account: number): Promise<Kept[]> {
  try {
    const all = (await asked('readonly', (store) => store.getAll())) as Kept[];
    const now = Date.now();
    const mine = all.filter((kept) => kept.tab === tab() && kept.account === account);
    const old = all.filter((kept) => now - kept.at > KEPT_FOR);
    await Promise.all([...mine, ...old].map((kept) => forget(kept.key)));
    return mine.filter((kept) => !old.includes(kept)).sort((a, b) => a.at - b.at);
  } catch {
    return [];
  }
}
