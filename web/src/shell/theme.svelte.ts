export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'berth.theme';

class Appearance {
  theme = $state<Theme>('auto');

  constructor() {
    const kept = localStorage.getItem(KEY);
    if (kept === 'light' || kept === 'dark') this.choose(kept);
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
