import { ask } from '../api/client';
import { Problem } from '../api/problem';

/** What this server can do beyond the first API: a view whose part is missing is not shown, rather than broken. */
class Features {
  /** Undefined until it is known. */
  stats = $state<boolean | undefined>();
  resumable = $state<boolean | undefined>();
  private looked = false;

  async look(): Promise<void> {
    if (this.looked) return;
    this.looked = true;
    [this.stats, this.resumable] = await Promise.all([answers('v1/stats'), speaksTus()]);
  }
}

async function answers(path: string): Promise<boolean> {
  try {
    await ask('GET', path);
    return true;
  } catch (error) {
    return !(error instanceof Problem && (error.status === 404 || error.status === 405));
  }
}

async function speaksTus(): Promise<boolean> {
  try {
    const response = await fetch(new URL('v1/uploads', document.baseURI), { method: 'OPTIONS' });
    return response.headers.get('tus-resumable') === '1.0.0' || response.headers.get('tus-version') !== null;
  } catch {
    return false;
  }
}

export const features = new Features();
