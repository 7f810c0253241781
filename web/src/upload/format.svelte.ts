import { FORMATS, type Format } from './links';

const KEY = 'berth.link-format';

/** How links are copied: the last choice is kept. */
class LinkFormat {
  chosen = $state<Format>(FORMATS.find((format) => format === localStorage.getItem(KEY)) ?? 'url');

  choose(format: Format): void {
    this.chosen = format;
    localStorage.setItem(KEY, format);
  }
}

export const linkFormat = new LinkFormat();
