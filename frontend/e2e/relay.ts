// A bad line in front of the program: a TCP relay that is slow, that is far, and that breaks off after so many bytes. Unlike what the
// browser's own tools offer, it reaches connections, service workers and workers too.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export interface Line {
  /** Kilobits a second, each way, of all connections together; without it, as fast as it goes. */
  kbps?: number;
  /** Milliseconds there and back. A connection takes one of these to begin. */
  rtt?: number;
}

export const threeG: Line = { kbps: 400, rtt: 400 };
export const twoG: Line = { kbps: 70, rtt: 800 };

type Way = 'up' | 'down';

const most = 64 * 1024;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class Relay {
  /** Bytes that went through. */
  readonly bytes = { up: 0, down: 0 };
  /** How often it broke off. */
  cuts = 0;
  private line: Line = {};
  private left = Infinity;
  private away = false;
  private readonly free = { up: 0, down: 0 };
  private readonly pairs = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {}

  /** Begins to listen in front of an address such as http://localhost:18091; port 0 takes any. */
  static async listen(to: string, port = 0): Promise<Relay> {
    const { hostname, port: there } = new URL(to);
    const server = createServer();
    const relay = new Relay(server, { host: hostname === 'localhost' ? '127.0.0.1' : hostname, port: Number(there) });
    server.on('connection', (socket) => void relay.accept(socket));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return relay;
  }

  get url(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on the line is like this. */
  shape(line: Line): void {
    this.line = line;
  }

  /** Breaks off all connections once so many more bytes went through, both ways together. Once: after that the line holds. */
  cutAfter(bytes: number): void {
    this.left = bytes;
  }

  /** Nothing goes through until it is mended; what is under way breaks off. */
  cut(): void {
    this.away = true;
    this.drop();
  }

  mend(): void {
    this.away = false;
    this.left = Infinity;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private drop(): void {
    this.cuts++;
    for (const socket of this.pairs) socket.destroy();
    this.pairs.clear();
  }

  private async accept(client: Socket): Promise<void> {
    client.on('error', () => undefined);
    this.pairs.add(client);
    if (this.line.rtt) await sleep(this.line.rtt);
    if (this.away || client.destroyed) return void client.destroy();
    const far = connect(this.target);
    far.on('error', () => client.destroy());
    this.pairs.add(far);
    const end = () => {
      client.destroy();
      far.destroy();
      this.pairs.delete(client);
      this.pairs.delete(far);
    };
    client.on('close', end);
    this.pump(client, far, 'up');
    this.pump(far, client, 'down', end);
  }

  /** Carries what comes to the other side, in the order in which it came. */
  private pump(from: Socket, to: Socket, way: Way, end?: () => void): void {
    let queue = Promise.resolve();
    let held = 0;
    from.on('data', (chunk: Buffer) => {
      held += chunk.length;
      if (held > most) from.pause();
      const due = this.due(chunk.length, way);
      queue = queue.then(async () => {
        const wait = due - Date.now();
        if (wait > 0) await sleep(wait);
        this.carry(chunk, to, way);
        held -= chunk.length;
        if (held <= most) from.resume();
      });
    });
    from.on('end', () => void queue.then(() => to.end()));
    if (end) from.on('close', () => void queue.then(end));
  }

  /** When a piece is through: after all that went this way before it. */
  private due(length: number, way: Way): number {
    const { kbps, rtt = 0 } = this.line;
    this.free[way] = Math.max(this.free[way], Date.now()) + (kbps ? (length * 8) / kbps : 0);
    return this.free[way] + rtt / 2;
  }

  private carry(chunk: Buffer, to: Socket, way: Way): void {
    if (to.destroyed) return;
    const some = chunk.subarray(0, Math.min(chunk.length, this.left));
    this.left -= some.length;
    this.bytes[way] += some.length;
    if (this.left > 0) return void to.write(some);
    // What was let through arrives; then it breaks.
    this.left = Infinity;
    to.write(some, () => this.drop());
  }
}
