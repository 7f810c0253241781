/** Why the server said no: a problem document (RFC 9457), whose `detail` is in the language that was asked for. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
    this.name = 'Problem';
  }

  /** Whether the same request may go well a little later. */
  get passes(): boolean {
    return this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** The server was not reached at all. */
export class Unreachable extends Error {
  constructor() {
    super('unreachable');
    this.name = 'Unreachable';
  }
}

/** The problem in an answer's body; where there is none, one of the status alone. */
export function readProblem(status: number, body: string, retryAfter: string | null): Problem {
  const seconds = retryAfter === null ? NaN : Number(retryAfter);
  const wait = Number.isFinite(seconds) ? seconds : null;
  try {
    const document: unknown = JSON.parse(body);
    if (typeof document === 'object' && document !== null) {
      const { code, detail, title } = document as Record<string, unknown>;
      const words = [detail, title].find((text) => typeof text === 'string' && text !== '');
      if (typeof code === 'string') return new Problem(status, code, String(words ?? code), wait);
    }
  } catch {
    // Not JSON: something in between has answered.
  }
  return new Problem(status, 'unknown', `HTTP ${status}`, wait);
}
