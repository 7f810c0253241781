/** How fast bytes leave, over the last few seconds: a mean of all would never notice that the train left the tunnel. */
export class Speed {
  private marks: { at: number; bytes: number }[] = [];

  constructor(private readonly span = 6000) {}

  /** Says that `bytes` have left in all by the time `at`, in milliseconds. */
  mark(bytes: number, at: number): void {
    this.marks.push({ at, bytes });
    while (this.marks.length > 2 && (this.marks[1]?.at ?? at) <= at - this.span) this.marks.shift();
  }

  /** Bytes a second; null while too little is known. */
  get now(): number | null {
    const first = this.marks[0];
    const last = this.marks.at(-1);
    if (!first || !last || last.at - first.at < 400) return null;
    return Math.max(0, (last.bytes - first.bytes) / ((last.at - first.at) / 1000));
  }

  /** Seconds until `bytes` more have left; null where nobody knows. */
  left(bytes: number): number | null {
    const speed = this.now;
    return speed === null || speed === 0 ? null : bytes / speed;
  }
}
