import type { Image } from '../api/types';

export type Format = 'url' | 'markdown' | 'html' | 'bbcode';

export const FORMATS: readonly Format[] = ['url', 'markdown', 'html', 'bbcode'];

type Linked = Pick<Image, 'url' | 'name' | 'kind' | 'width' | 'height'>;

const bare = (name: string) => name.replace(/\.[A-Za-z0-9]{1,5}$/, '');

const html = (text: string) =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`).replace(/\s+/g, ' ');

const markdown = (text: string) => text.replace(/[\\[\]*_`<>]/g, '\\$&').replace(/\s+/g, ' ');

/** What is pasted to show an image. SECURITY: names are what uploaders made of them, and must stay text wherever they land. */
export function link(image: Linked, format: Format): string {
  const { url, kind } = image;
  const name = bare(image.name);
  const size = image.width && image.height ? ` width="${image.width}" height="${image.height}"` : '';
  switch (format) {
    case 'url':
      return url;
    case 'markdown':
      return kind === 'video' ? `[${markdown(name)}](${url})` : `![${markdown(name)}](${url})`;
    case 'html':
      return kind === 'video'
        ? `<video src="${html(url)}"${size} controls></video>`
        : `<img src="${html(url)}" alt="${html(name)}"${size} loading="lazy">`;
    case 'bbcode':
      return kind === 'video' ? `[video]${url}[/video]` : `[img]${url}[/img]`;
  }
}

/** One a line. */
export function links(images: readonly Linked[], format: Format): string {
  return images.map((image) => link(image, format)).join('\n');
}
