import { ask } from './client';
import type { Album, Policy } from './types';

/** One's albums, asked for once and kept for every list to choose from. */
class Albums {
  all = $state<Album[]>([]);
  private asked: Promise<void> | null = null;

  /** Asks for them unless they are here. */
  ready(): Promise<void> {
    this.asked ??= this.refresh();
    return this.asked;
  }

  async refresh(): Promise<void> {
    const found: Album[] = [];
    let after: string | null = null;
    do {
      const page: { albums: Album[]; next: string | null } = await ask('GET', 'v1/albums', {
        query: { limit: 200, after },
      });
      found.push(...page.albums);
      after = page.next;
    } while (after !== null);
    this.all = found.sort(
      (a, b) => Number(b.is_default) - Number(a.is_default) || a.name.localeCompare(b.name),
    );
  }

  find(id: number): Album | undefined {
    return this.all.find((album) => album.id === id);
  }

  /** The album that an upload goes to: the default one where none is chosen. */
  chosen(id: number | null): Album | undefined {
    return this.all.find((album) => (id === null ? album.is_default : album.id === id));
  }

  async create(name: string, description = ''): Promise<Album> {
    const album = await ask<Album>('POST', 'v1/albums', { body: { name, description } });
    await this.refresh();
    return album;
  }

  async patch(
    id: number,
    patch: { name?: string; description?: string; policy?: Policy | null },
  ): Promise<void> {
    await ask('PATCH', `v1/albums/${id}`, { body: patch });
    await this.refresh();
  }

  async remove(id: number, withdraw: boolean): Promise<void> {
    await ask('DELETE', `v1/albums/${id}`, { query: { images: withdraw ? 'withdraw' : null } });
    await this.refresh();
  }

  forget(): void {
    this.all = [];
    this.asked = null;
  }
}

export const albums = new Albums();
