import { MediaQuery } from 'svelte/reactivity';

export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'berth.theme';

class Appearance {
  theme = $state<Theme>('auto');
  private readonly system = new MediaQuery('prefers-color-scheme: dark');

  constructor() {
    const kept = localStorage.getItem(KEY);
    if (kept === 'light' || kept === 'dark') this.choose(kept);
  }

  /** What one sees: of the system's two where neither was chosen. */
  get isDark(): boolean {
    return this.theme === 'auto' ? this.system.current : this.theme === 'dark';
  }

  choose(theme: Theme): void {
    this.theme = theme;
    if (theme === 'auto') {
      delete document.documentElement.dataset['theme'];
      localStorage.removeItem(KEY);
    } else {
      document.documentElement.dataset['theme'] = theme;
      localStorage.setItem(KEY, theme);
    }
  }

  /** The next of the three, for a button. */
  turn(): void {
    this.choose(this.theme === 'auto' ? 'light' : this.theme === 'light' ? 'dark' : 'auto');
  }
}

export const appearance = new Appearance();
