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
/** Milliseconds after its last bytes in which a break is noticed. */
const notice = 40;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class Relay {
  /** Bytes that went through. */
  readonly bytes = { up: 0, down: 0 };
  /** How often it broke off. */
  cuts = 0;
  private line: Line = {};
  private left = Infinity;
  private next = Infinity;
  private away = false;
  private then: 'break' | 'wait' = 'break';
  /** Settled while bytes may go through. */
  private open = Promise.resolve();
  private release: () => void = () => undefined;
  private readonly free = { up: 0, down: 0 };
  private readonly pairs = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private target: { host: string; port: number },
  ) {}

  /** Begins to listen in front of an address such as http://localhost:18091; port 0 takes any. */
  static async listen(to: string, port = 0): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server, Relay.parse(to));
    server.on('connection', (socket) => void relay.accept(socket));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return relay;
  }

  private static parse(address: string): { host: string; port: number } {
    const { hostname, port } = new URL(address);
    return { host: hostname === 'localhost' ? '127.0.0.1' : hostname, port: Number(port) };
  }

  /** From now on another program answers, such as a network's sign-in page. Connections to the one before break off. */
  lead(to: string): void {
    this.target = Relay.parse(to);
    this.drop();
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
    this.then = 'break';
    this.left = bytes;
    this.next = Infinity;
  }

  /** Breaks off all connections each time that so many bytes went through, until it is mended. */
  cutEvery(bytes: number): void {
    this.cutAfter(bytes);
    this.next = bytes;
  }

  /** Keeps all connections waiting once so many more bytes went through, until it is mended or cut. */
  holdAfter(bytes: number): void {
    this.then = 'wait';
    this.left = bytes;
    this.next = Infinity;
  }

  /** Nothing goes through until it is mended; what is under way breaks off. */
  cut(): void {
    this.away = true;
    this.drop();
    this.release();
  }

  mend(): void {
    this.away = false;
    this.left = Infinity;
    this.release();
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
        for (let rest = chunk; rest.length; ) {
          await this.open;
          rest = this.carry(rest, to, way);
        }
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

  /** Gives what may not go through yet. */
  private carry(chunk: Buffer, to: Socket, way: Way): Buffer {
    const nothing = Buffer.alloc(0);
    if (to.destroyed) return nothing;
    const some = chunk.subarray(0, Math.min(chunk.length, this.left));
    this.left -= some.length;
    this.bytes[way] += some.length;
    if (this.left > 0) {
      to.write(some);
      return nothing;
    }
    this.left = this.next;
    if (this.then === 'wait') {
      to.write(some);
      this.open = new Promise((resolve) => (this.release = resolve));
      return chunk.subarray(some.length);
    }
    // What was let through arrives, and the break is noticed after it, as on a real line: browsers throw away what they have not yet
    // handed on when they learn both at once.
    this.open = new Promise((resolve) => (this.release = resolve));
    to.write(some, () =>
      setTimeout(() => {
        this.drop();
        this.release();
      }, notice),
    );
    return nothing;
  }
}
