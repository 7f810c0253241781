import { albums } from '../api/albums.svelte';
import { ask, whenSessionEnds } from '../api/client';
import { Problem } from '../api/problem';
import type { Account, Limits, SessionInfo, UploadRules } from '../api/types';

/** Who is here. The credential itself is a cookie that no script can read. */
class Session {
  state = $state<'unknown' | 'out' | 'in' | 'unreachable'>('unknown');
  account = $state<Account | null>(null);
  limits = $state<Limits | null>(null);
  uploads = $state<UploadRules | null>(null);
  expiresAt = $state<string | null>(null);
  /** The session has ended while something was being done: the dialog over it asks to sign in. */
  ended = $state(false);
  private waiting: { resolve: () => void; reject: (reason: unknown) => void }[] = [];

  private readonly leaving: (() => void)[] = [];

  constructor() {
    whenSessionEnds(() => this.again());
  }

  get isAdmin(): boolean {
    return this.account?.role === 'admin';
  }

  /** Looks whether somebody is signed in already: on a first visit nobody is, and that is no error. */
  async look(): Promise<void> {
    try {
      const query = { optional: true };
      const info = await ask<SessionInfo | undefined>('GET', 'v1/session', { query, anonymous: true });
      if (info) this.take(info);
      else this.state = 'out';
    } catch (error) {
      this.state = error instanceof Problem && error.status === 401 ? 'out' : 'unreachable';
    }
  }

  /** What may be sent, and what becomes of it, may have changed. */
  async refresh(): Promise<void> {
    this.take(await ask<SessionInfo>('GET', 'v1/session'));
  }

  async signIn(username: string, password: string, remember: boolean): Promise<void> {
    const body = { username, password, remember };
    const before = this.account?.id;
    await ask('POST', 'v1/session', { body, anonymous: true });
    const info = await ask<SessionInfo>('GET', 'v1/session', { anonymous: true });
    if (before !== undefined && before !== info.account.id) {
      // Somebody else: what stands on the page is not theirs.
      location.reload();
      return;
    }
    this.take(info);
    const waiting = this.waiting;
    this.waiting = [];
    for (const { resolve } of waiting) resolve();
  }

  async signOut(): Promise<void> {
    try {
      await ask('DELETE', 'v1/session', { anonymous: true });
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error;
    }
    this.leave();
  }

  /** What is done when somebody leaves: the next one to sign in may be somebody else. */
  onLeave(run: () => void): void {
    this.leaving.push(run);
  }

  /** Gives up what was being done, and leaves. */
  leave(): void {
    for (const run of this.leaving) run();
    const waiting = this.waiting;
    this.waiting = [];
    for (const { reject } of waiting) reject(new Problem(401, 'unauthenticated', ''));
    this.account = null;
    this.ended = false;
    this.state = 'out';
    albums.forget();
  }

  private again(): Promise<void> {
    if (this.state !== 'in') return Promise.reject(new Problem(401, 'unauthenticated', ''));
    this.ended = true;
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private take(info: SessionInfo): void {
    this.account = info.account;
    this.limits = info.limits ?? null;
    this.uploads = info.uploads ?? null;
    this.expiresAt = info.expires_at;
    this.ended = false;
    this.state = 'in';
  }
}

export const session = new Session();
