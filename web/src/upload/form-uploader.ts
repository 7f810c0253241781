import { endpoint, signInAgain } from '../api/client';
import { Problem, readProblem, Unreachable } from '../api/problem';
import type { Image } from '../api/types';
import { language } from '../words/language.svelte';
import { fields, type Listener, type Sending, type Uploader, type Wishes } from './uploader';

/** `POST /v1/images`, one file a request. XMLHttpRequest, for fetch does not tell how far a body has got. */
export const formUploader: Uploader = {
  send(file, wishes, listener) {
    const controller = new AbortController();
    const sending: Sending = {
      done: attempt(file, wishes, listener, controller.signal).catch(async (error: unknown) => {
        if (!(error instanceof Problem && error.status === 401)) throw error;
        await signInAgain();
        return attempt(file, wishes, listener, controller.signal);
      }),
      abort: () => controller.abort(),
    };
    return sending;
  },
};

function attempt(file: File, wishes: Wishes, listener: Listener, signal: AbortSignal): Promise<Image> {
  const { promise, resolve, reject } = Promise.withResolvers<Image>();
  const request = new XMLHttpRequest();
  const gone = () => reject(new DOMException('cancelled', 'AbortError'));
  request.upload.onprogress = (event) => listener.sent(Math.min(file.size, event.loaded));
  request.onload = () => settle(request, resolve, reject);
  request.onerror = () => reject(new Unreachable());
  request.onabort = gone;
  if (signal.aborted) gone();
  else {
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.open('POST', endpoint('v1/images'));
    request.setRequestHeader('accept-language', language.tag);
    request.send(form(file, wishes));
  }
  return promise;
}

function form(file: File, wishes: Wishes): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields(wishes))) form.set(name, value);
  // Last, so that the server knows all that is wished before the bytes arrive.
  form.set('file', file, file.name);
  return form;
}

function settle(
  request: XMLHttpRequest,
  resolve: (image: Image) => void,
  reject: (reason: Error) => void,
): void {
  if (request.status === 200 || request.status === 201) {
    const answer = JSON.parse(request.responseText) as { images: (Image | { problem: unknown })[] };
    const first = answer.images[0];
    if (first && 'id' in first) resolve(first);
    else reject(readProblem(request.status, JSON.stringify(first?.problem ?? null), null));
  } else {
    reject(readProblem(request.status, request.responseText, request.getResponseHeader('retry-after')));
  }
}
