/** Where one is. Routes are fragments (`#/gallery?album=7`): they need nothing of the server, and can't collide with the
    paths of older hosts' clients (ADR 0070). */

export type View = 'upload' | 'gallery' | 'albums' | 'overview' | 'settings';

export interface Route {
  view: View;
  /** What follows: `#/settings/tokens` has `tokens`. */
  rest: string;
  query: URLSearchParams;
}

const VIEWS: readonly string[] = ['upload', 'gallery', 'albums', 'overview', 'settings'];

export function read(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [view = '', ...rest] = path.split('/');
  const known = VIEWS.includes(view) ? (view as View) : 'upload';
  return { view: known, rest: known === view ? rest.join('/') : '', query: new URLSearchParams(query) };
}

export function href(view: View, rest = '', query: Record<string, string | null | undefined> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
  const text = parameters.toString();
  return `#/${view}${rest ? `/${rest}` : ''}${text ? `?${text}` : ''}`;
}

class Router {
  route = $state.raw<Route>(read(globalThis.location?.hash ?? ''));

  constructor() {
    globalThis.addEventListener?.('hashchange', () => {
      this.route = read(location.hash);
    });
  }

  go(to: string): void {
    location.hash = to;
  }

  /** The same, without a step in the history. */
  replace(to: string): void {
    history.replaceState(history.state, '', to);
    this.route = read(to);
  }
}

export const router = new Router();
