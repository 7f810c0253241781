import { en, type Words } from './en';
import { zh } from './zh';

export type Locale = 'en' | 'zh';

const KEY = 'berth.language';

/** What the browser prefers: the first language of its list that the page speaks. */
export function preferred(languages: readonly string[]): Locale {
  for (const language of languages) {
    const primary = language.toLowerCase().split('-')[0];
    if (primary === 'zh' || primary === 'en') return primary;
  }
  return 'en';
}

class Language {
  locale = $state<Locale>('en');

  constructor() {
    const kept = globalThis.localStorage?.getItem(KEY);
    this.set(kept === 'en' || kept === 'zh' ? kept : preferred(globalThis.navigator?.languages ?? []));
  }

  /** The words of now; reading it in a component keeps that component in today's language. */
  get words(): Words {
    return this.locale === 'zh' ? zh : en;
  }

  /** For `lang=`, dates and numbers. */
  get tag(): string {
    return this.locale === 'zh' ? 'zh-CN' : 'en';
  }

  switch(): void {
    const next = this.locale === 'zh' ? 'en' : 'zh';
    this.set(next);
    localStorage.setItem(KEY, next);
  }

  private set(locale: Locale): void {
    this.locale = locale;
    if (globalThis.document) document.documentElement.lang = locale === 'zh' ? 'zh-CN' : 'en';
  }
}

export const language = new Language();
