import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * The line between a browser and berth: a proxy, as the browser sees it, that hands every byte on as it came. It is as slow as
 * it is told to be, and it can be cut: then what is open breaks, and nothing new gets through until it is mended.
 */
export class Line {
  /** Bytes that the browser has sent and that were handed on. */
  sent = 0;
  /** How many connections were turned away while it was cut. */
  refused = 0;
  private isCut = false;
  private readonly open = new Set<Socket>();
  private waiting: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly to: URL,
    private readonly bytesPerSecond: number,
  ) {
    server.on('connection', (browser) => this.join(browser));
  }

  static async laid(to: string, bytesPerSecond: number): Promise<Line> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Line(server, new URL(to), bytesPerSecond);
  }

  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.open) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  /** Waits until something holds; it is looked at whenever anything passes or is turned away. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private join(browser: Socket): void {
    if (this.isCut) {
      this.refused += 1;
      browser.destroy();
      this.tell();
      return;
    }
    const berth = connect(Number(this.to.port), this.to.hostname);
    for (const [socket, other] of [
      [browser, berth],
      [berth, browser],
    ] as const) {
      this.open.add(socket);
      socket.on('close', () => {
        this.open.delete(socket);
        other.destroy();
      });
      // What breaks is closed as well.
      socket.on('error', () => undefined);
    }
    browser.on('data', (bytes) => {
      this.sent += bytes.length;
      berth.write(bytes);
      browser.pause();
      setTimeout(() => browser.resume(), (1000 * bytes.length) / this.bytesPerSecond);
      this.tell();
    });
    berth.pipe(browser);
  }

  private tell(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
