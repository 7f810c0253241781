import { language } from '../words/language.svelte';
import { Problem, readProblem, Unreachable } from './problem';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

export type Query = Record<string, string | number | boolean | null | undefined>;

interface Options {
  query?: Query;
  /** Sent as JSON, unless it is a Blob. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** A 401 is this call's own business: nobody is asked to sign in. */
  anonymous?: boolean;
}

let askToSignIn: () => Promise<void> = () => Promise.reject(new Problem(401, 'unauthenticated', ''));

/** Who is asked when a session has ended: the promise is kept when somebody has signed in again. */
export function whenSessionEnds(ask: () => Promise<void>): void {
  askToSignIn = ask;
}

/** Signs in again over whatever is being done. */
export function signInAgain(): Promise<void> {
  return askToSignIn();
}

/** A URL of the API, under whatever path berth's page stands. */
export function endpoint(path: string, query: Query = {}): string {
  const url = new URL(path, document.baseURI);
  url.hash = '';
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** What stands at a link, on this page's own host: links begin with the public address, which may be another. */
export function local(link: string): string {
  const url = new URL(link, document.baseURI);
  const here = new URL(document.baseURI);
  return here.origin + url.pathname + url.search;
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Asks the API. Waits out a short 429, has people sign in again when their session has ended, and repeats the request. */
export async function ask<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  const response = await answered(method, path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** The same, with the answer's `ETag`. */
export async function askTagged<T>(path: string): Promise<[T, string | null]> {
  const response = await answered('GET', path, {});
  return [(await response.json()) as T, response.headers.get('etag')];
}

async function answered(method: Method, path: string, options: Options, tries = 3): Promise<Response> {
  const response = await send(method, path, options);
  if (response.ok) return response;
  const problem = readProblem(response.status, await response.text(), response.headers.get('retry-after'));
  if (tries > 1 && problem.status === 401 && !options.anonymous) {
    await askToSignIn();
    return answered(method, path, options, tries - 1);
  }
  const wait = problem.retryAfter ?? 1;
  if (tries > 1 && problem.passes && wait <= 5 && (method === 'GET' || problem.status === 429)) {
    await pause(wait);
    return answered(method, path, options, tries - 1);
  }
  throw problem;
}

async function send(method: Method, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'accept-language': language.tag,
    ...options.headers,
  };
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (options.body instanceof Blob) {
    init.body = options.body;
  } else if (options.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  if (options.signal) init.signal = options.signal;
  try {
    return await fetch(endpoint(path, options.query), init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Unreachable();
  }
}

/** What to tell people about an error. */
export function told(error: unknown): string {
  if (error instanceof Unreachable) return language.words.common.offline;
  // Not berth itself has answered, but what stands before it.
  if (error instanceof Problem && error.code === 'unknown') return language.words.common.away(error.status);
  if (error instanceof Problem) return error.message;
  return language.words.common.failed;
}
