// The script of /lab/frame: a document of opaque origin that makes workers, watches over them and ends them. It knows
// no Python and fetches nothing: what to run comes from the page, through a port. Its address and its messages stay the
// same from release to release, since a service worker keeps it.
import type { FromFrame, FromWorker, Job, ToFrame } from './worker/wire';

// A worker that learner's code has taken over can send as much as it likes: each message counts as at least this.
const messageBytes = 256;
// How long a worker may take to begin, on a slow phone.
const patience = 60_000;

let port: MessagePort | undefined;
let parts: BlobPart[] = [];
let address = '';
let module: WebAssembly.Module | undefined;
let spare: Hand | undefined;
let imports: string[] = [];
let busy: { hand: Hand; end: (end: 'stopped') => void } | undefined;

/** A worker for one run. */
interface Hand {
  worker: Worker;
  warm: boolean;
  onWarm?: () => void;
}

const tell = (message: FromFrame, transfer: Transferable[] = []) => port?.postMessage(message, transfer);

function hire(): Hand {
  if (!address) address = URL.createObjectURL(new Blob(parts, { type: 'text/javascript' }));
  const hand: Hand = { worker: new Worker(address), warm: false };
  hand.worker.onmessage = () => {
    hand.warm = true;
    hand.onWarm?.();
  };
  hand.worker.onerror = (event) => event.preventDefault();
  hand.worker.postMessage({ imports });
  return hand;
}

// The next run finds an interpreter that has started.
function ready(): void {
  spare ??= hire();
}

function run(id: number, job: Job, wall: number): void {
  busy?.end('stopped');
  ready();
  const hand = spare as Hand;
  spare = undefined;
  imports = job.imports;
  const { worker } = hand;
  let left = job.maxOutput;
  let began = performance.now();
  let timer = setTimeout(() => end('broken', 'the worker did not begin'), patience);

  const end = (how: Extract<FromFrame, { is: 'end' }>['end'], why = '', files = {}, lacks = '') => {
    if (busy?.hand !== hand) return;
    busy = undefined;
    clearTimeout(timer);
    worker.terminate();
    tell({ is: 'end', id, end: how, why, files, lacks, took: performance.now() - began });
    // Not at once: the page shows its result first.
    setTimeout(ready, 50);
  };
  busy = { hand, end };

  worker.onerror = (event) => {
    event.preventDefault();
    end('broken', event.message || 'the worker failed');
  };
  const begin = () => {
    began = performance.now();
    clearTimeout(timer);
    timer = setTimeout(() => end('timed_out'), wall);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      left -= messageBytes;
      if (data && data.is === 'out' && data.data instanceof ArrayBuffer) {
        const size = data.data.byteLength;
        left -= Math.max(0, size - messageBytes);
        // What came before the limit is shown.
        tell({ is: 'out', id, fd: data.fd === 2 ? 2 : 1, data: data.data }, [data.data]);
      }
      if (left < 0) end('flooded');
      else if (data && data.is === 'end') end(ends.indexOf(data.end) < 0 ? 'broken' : data.end, String(data.why), tidy(data.files, job.maxFileBytes), String(data.lacks));
    };
    worker.postMessage({ job, module });
  };
  if (hand.warm) begin();
  else hand.onWarm = begin;
}

const ends = ['exited', 'flooded', 'memory', 'broken'];

function tidy(files: unknown, most: number): Record<string, Uint8Array> {
  const out: Record<string, Uint8Array> = {};
  for (const [name, data] of Object.entries(files && typeof files === 'object' ? files : {})) {
    if (data instanceof Uint8Array && (most -= data.length) >= 0) out[name] = data;
  }
  return out;
}

async function load({ worker, pack, wasm }: Extract<ToFrame, { do: 'load' }>): Promise<void> {
  try {
    module = undefined;
    parts = wasm ? [worker] : [pack, '\n', worker];
    if (wasm) module = await WebAssembly.compile(pack);
    ready();
    const first = spare as Hand;
    await new Promise<void>((resolve, reject) => {
      if (first.warm) resolve();
      first.onWarm = resolve;
      first.worker.onerror = (event) => reject(new Error(event.message || 'the worker failed'));
      setTimeout(() => reject(new Error('the worker did not begin')), patience);
    });
    tell({ is: 'ready' });
  } catch (cause) {
    tell({ is: 'failed', why: String(cause) });
  }
}

addEventListener('message', (event) => {
  if (event.source !== parent || port) return;
  port = event.ports[0];
  if (!port) return;
  port.onmessage = ({ data }: MessageEvent<ToFrame>) => {
    if (data.do === 'load') void load(data);
    if (data.do === 'run') run(data.id, data.job, data.wall);
    if (data.do === 'stop') busy?.end('stopped');
  };
});
parent.postMessage({ banyan: 'frame' }, '*');
