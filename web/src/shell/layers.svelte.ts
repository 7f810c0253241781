import { untrack } from 'svelte';

/** Which dialog lies on top. The browser makes everything beneath it inert, so what must be seen and pressed is drawn in it. */
class Layers {
  private open = $state.raw<readonly string[]>([]);

  /** The id of the dialog on top; null where there is none. */
  get top(): string | null {
    return this.open.at(-1) ?? null;
  }

  lay(id: string): void {
    this.open = [...this.without(id), id];
  }

  lift(id: string): void {
    this.open = this.without(id);
  }

  /** Dialogs lay and lift themselves in effects, which must not begin anew when another one does. */
  private without(id: string): readonly string[] {
    return untrack(() => this.open).filter((other) => other !== id);
  }
}

export const layers = new Layers();
