import type { FromWorker, Job, ToWorker } from './wire';

// The worker's own doors, taken before any learner's code runs.
const post = self.postMessage.bind(self) as (message: FromWorker, transfer?: Transferable[]) => void;
const now = performance.now.bind(performance);

/** The program printed more than it may. */
export class Flood extends Error {}

const chunk = 8 << 10;
const pause = 40; // ms

/** Sends what the program prints to the frame: soon, but in few messages. */
export class Output {
  private buffer = new Uint8Array(chunk);
  private used = 0;
  private fd: 1 | 2 = 1;
  private sent = now();

  constructor(private left: number) {}

  write(fd: 1 | 2, data: Uint8Array): void {
    const fits = data.subarray(0, Math.max(0, this.left));
    this.left -= data.length;
    if (fd !== this.fd || this.used + fits.length > chunk) this.flush();
    this.fd = fd;
    if (fits.length > chunk) post({ is: 'out', fd, data: fits.slice().buffer });
    else {
      this.buffer.set(fits, this.used);
      this.used += fits.length;
    }
    if (this.left < 0) throw new Flood();
    if (now() - this.sent > pause) this.flush();
  }

  flush(): void {
    this.sent = now();
    if (!this.used) return;
    const data = this.buffer.slice(0, this.used).buffer;
    this.used = 0;
    post({ is: 'out', fd: this.fd, data }, [data]);
  }

  end(how: Extract<FromWorker, { is: 'end' }>['end'], why = '', files: Record<string, Uint8Array> = {}, lacks = ''): void {
    this.flush();
    post({ is: 'end', end: how, why, files, lacks });
  }
}

/** Answers the frame: gets ready what it names, says so, and takes the one job. */
export function serve(prepare: (imports: string[]) => void, work: (job: Job, module?: WebAssembly.Module) => void): void {
  self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if ('job' in data) {
      self.onmessage = null;
      work(data.job, data.module);
    } else {
      prepare(data.imports);
      post({ is: 'warm' });
    }
  };
}
