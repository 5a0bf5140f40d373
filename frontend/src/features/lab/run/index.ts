// Runs a learner's code and the visible checks of a lab in the browser, as a preview of what the grader will say.
// The code runs in a worker inside a frame of opaque origin; see docs/lab-runner.md. Load this folder with import()
// on the first press of Run: its bytes belong to no page.
import banyan from '../../../../../internal/lab/grading/banyan.py?raw';
import harness from '../../../../../internal/lab/grading/harness.py?raw';
import judgeRoom from '../../../../../internal/lab/grading/judge.py?raw';
import { connect, RunnerError, type Connection } from './connect';
import { exactOnly } from './exact-only';
import { AuthorFault, judge, type Answer, type Task } from './judge';
import { openPack, type Pack } from '../../../offline/python/pack';
import { Listener, makeNonce, readAnswers, readReport } from './report';
import type { CheckRule } from './rule';
import { patience } from '../../../offline/python/soon';
import type { FromFrame, Job, ToFrame } from './worker/wire';

export { dropPack, keptPacks, listPacks, suggest, type Pack, type PackID } from '../../../offline/python/pack';
export { RunnerError } from './connect';
export type { CheckRule, Rule } from './rule';

/** Why there is nothing to judge. The first seven are the grader's; the rest are the page's own. */
export type Message =
  | 'syntax'
  | 'error'
  | 'exit'
  | 'timeout'
  | 'flood'
  | 'memory'
  | 'no_result'
  | 'author' // the lab is at fault
  | 'stopped' // by stop()
  | 'needs_exact' // the light pack lacks what the code asks for, see Result.lacks
  | 'broken'; // the frame or the pack failed: nothing that the learner did

/** What to run. Everything stands in the lab's public JSON, but for the learner's files. */
export interface Order {
  entry: string;
  /** By plain name: the learner's files and the lab's data files. */
  files: Record<string, string>;
  /** The lab's checks; those without a rule (hidden ones) are passed over. Leave out to run the code alone. */
  checks?: CheckRule[];
  limits?: { wall_seconds?: number; memory_mib?: number; output_kib?: number; files?: number; file_kib?: number };
  seed?: number;
  clock?: string;
}

export interface CheckResult {
  id: string;
  /** undefined: only the server can tell (a pattern or a judge that this pack cannot run). */
  passed: boolean | undefined;
  /** 0 to 1. */
  score: number;
  /** repr of what was seen. */
  got?: string;
  /** What was wanted, where the lab reveals it. */
  expected?: string;
  /** The exception that the call raised: "ValueError: no such leaf". */
  error?: string;
  /** The sentence that a judge script chose. */
  says?: string;
}

export interface Result {
  /** Not there when the code ran to its end and was judged. */
  message?: Message;
  /** Of the learner's own lines only; "" when there is none. */
  traceback: string;
  /** What the code printed, banyan's records (0x1E JSON LF) kept in. */
  output: string;
  /** Of the visible checks, in the lab's order; [] when there is a message. */
  checks: CheckResult[];
  /** Files that the code made or changed. */
  files: Record<string, Uint8Array>;
  /** With needs_exact: what is missing, such as a module's name. */
  lacks?: string;
  /** Digest of the pack that ran it. A verdict's runtime is the same for the exact pack. */
  runtime: string;
  /** What the worker said at its end: for reports of faults, not for learners. */
  detail?: string;
  /** From the start of the code to its end, in milliseconds. */
  took: number;
}

export interface Handlers {
  /** What the code prints, as it prints it; records may come in pieces. */
  onOutput?: (chunk: string) => void;
  onEnd: (result: Result) => void;
}

export interface Runner {
  readonly pack: Pack;
  /** Fetches the pack (or takes it from the device) and makes the frame ready. Twice is no error. Rejects with Unreached where something of it is neither here nor to be reached. */
  load(onProgress?: (bytes: number, total: number) => void): Promise<void>;
  /** Runs one order; a run under way is stopped first. Loads when that has not been done. */
  run(order: Order, handlers: Handlers): void;
  /** Ends the run under way at once, with the message `stopped`. The next run starts fresh. */
  stop(): void;
  /** Removes the frame. */
  close(): void;
}

export interface RunnerOptions {
  pack: Pack;
  /** Where the frame is served; /lab/frame when left out. */
  frameUrl?: string;
}

// The name under which the harness runs: none that a course or a learner can give a file.
const harnessName = '0-harness.py';
const judgeName = '0-judge.py';
// Room for the observations beside the output, as in the grader.
const observations = 1 << 20;
const defaults = { wall_seconds: 10, output_kib: 64, files: 16, file_kib: 1024 };
const defaultSeed = 20260101;
const defaultClock = '2026-01-01T00:00:00Z';
// Brython compiles what a program imports while it runs; that is no loop without end.
const compiling = 10_000;

export function createRunner({ pack, frameUrl = '/lab/frame' }: RunnerOptions): Runner {
  let connection: Connection | undefined;
  let port: MessagePort | undefined;
  let loading: Promise<void> | undefined;
  let runs = 0;
  let onLoad: (message: FromFrame) => void = () => undefined;
  const waiting = new Map<number, (message: FromFrame) => void>();
  /** The run under way. */
  let current: { stopped: boolean } | undefined;

  const hear = (message: FromFrame) => {
    if ('id' in message) waiting.get(message.id)?.(message);
    else onLoad(message);
  };

  const tell = (message: ToFrame, transfer: Transferable[] = []) => port?.postMessage(message, transfer);

  /** Makes the frame, and listens to it. */
  async function join(): Promise<void> {
    connection = connect(frameUrl);
    port = await connection.port;
    port.onmessage = ({ data }: MessageEvent<FromFrame>) => hear(data);
  }

  async function start(onProgress: (bytes: number, total: number) => void): Promise<void> {
    const worker = pack.id === 'exact' ? import('virtual:lab-worker/exact') : import('virtual:lab-worker/light');
    const [bytes, script] = await Promise.all([openPack(pack, onProgress), worker, join()]);
    await new Promise<void>((resolve, reject) => {
      onLoad = (message) => {
        if (message.is === 'ready') resolve();
        if (message.is === 'failed') reject(new RunnerError(String(message.why)));
      };
      tell({ do: 'load', worker: script.default, pack: bytes, wasm: pack.id === 'exact' }, [bytes]);
    });
  }

  function close(): void {
    port?.close();
    connection?.close();
    port = connection = loading = undefined;
    for (const [id, end] of waiting) end({ is: 'end', id, end: 'broken', why: '', files: {}, lacks: '', took: 0 });
  }

  function load(onProgress: (bytes: number, total: number) => void = () => undefined): Promise<void> {
    loading ??= start(onProgress).catch((cause: unknown) => {
      close();
      throw cause;
    });
    return loading;
  }

  /** One run of a Python in a fresh instance. */
  function once(job: Job, wall: number, onOut: (fd: number, data: ArrayBuffer) => void): Promise<Extract<FromFrame, { is: 'end' }>> {
    const id = ++runs;
    return new Promise((resolve) => {
      // A frame that the browser has ended, for want of memory, says nothing any more.
      const timer = setTimeout(() => close(), wall + 2 * patience);
      waiting.set(id, (message) => {
        if (message.is === 'out' && message.data instanceof ArrayBuffer) onOut(message.fd, message.data);
        if (message.is !== 'end') return;
        clearTimeout(timer);
        waiting.delete(id);
        resolve(message);
      });
      tell({ do: 'run', id, job, wall });
    });
  }

  async function execute(order: Order, me: { stopped: boolean }, onOutput: (chunk: string) => void): Promise<Result> {
    const limits = { ...defaults, ...order.limits };
    const wall = limits.wall_seconds * 1000 + (pack.id === 'light' ? compiling : 0);
    const outputLimit = limits.output_kib << 10;
    const nonce = makeNonce();
    const checks = (order.checks ?? []).filter((check) => check.rule);
    const asked = checks.filter((check) => check.rule?.observe === 'call');
    // As JSON that is Python too: strings, numbers, lists and maps alone.
    const calls = asked.map(({ rule }) => ({ call: rule?.call ?? 'None', ...(rule?.data && { data: rule.data }) }));
    const job: Job = {
      main: harnessName,
      source: harness,
      files: { 'banyan.py': banyan, ...order.files },
      stdin: `${nonce}\n${JSON.stringify({ entry: order.entry, calls, files: [] })}`,
      seed: order.seed ?? defaultSeed,
      clock: Date.parse(order.clock ?? defaultClock),
      maxFiles: limits.files,
      maxFileBytes: limits.file_kib << 10,
      maxOutput: outputLimit + observations,
      imports: importsOf(Object.values(order.files)),
    };
    const heard = new Listener(nonce, outputLimit, onOutput);
    const end = await once(job, wall, (fd, data) => {
      heard.hear(fd, data);
      if (heard.flooded) tell({ do: 'stop' });
    });
    heard.close();
    const report = readReport(heard, nonce, asked.length, outputLimit, heard.flooded ? 'flooded' : me.stopped ? 'stopped' : end.end, end.files);
    const result: Result = {
      message: report.message,
      traceback: report.traceback,
      output: heard.stdout,
      checks: [],
      files: end.files,
      runtime: pack.digest,
      detail: end.why,
      took: end.took,
    };
    if (pack.id === 'light' && report.message === 'error') lacking(result);
    if (report.message) return result;
    try {
      result.checks = await judge(checks, report, (tasks) => ask(tasks, order, job, wall));
      if (me.stopped) result.message = 'stopped';
    } catch (cause) {
      // A value that is not of the harness's making, or a check that cannot judge.
      result.message = cause instanceof AuthorFault ? 'author' : 'no_result';
    }
    if (result.message) result.checks = [];
    return result;
  }

  /** Lets the author's scripts judge, in a fresh instance that no code of the learner's has been in. */
  async function ask(tasks: Task[], order: Order, like: Job, wall: number): Promise<Answer[] | undefined> {
    const nonce = makeNonce();
    const files = Object.fromEntries(Object.entries(order.files).filter(([name]) => name !== order.entry));
    const job: Job = {
      ...like,
      main: judgeName,
      source: judgeRoom,
      files: {},
      stdin: `${nonce}\n${JSON.stringify({ tasks, files, hidden: {} })}`,
      imports: like.imports,
    };
    let stderr = '';
    const decoder = new TextDecoder();
    const end = await once(job, wall, (fd, data) => {
      if (fd === 2) stderr += decoder.decode(data, { stream: true });
    });
    if (end.end === 'stopped') return undefined;
    const answers = readAnswers(stderr, nonce, tasks.length);
    // What Brython cannot run the author wrote for CPython: the server judges it.
    return pack.id === 'light' && answers.some((answer) => answer.error) ? undefined : answers;
  }

  return {
    pack,
    load,
    run(order, { onOutput = () => undefined, onEnd }) {
      // The frame ends what runs before.
      if (current) current.stopped = true;
      const me = (current = { stopped: false });
      void load()
        .then(() => (me.stopped ? without('stopped') : execute(order, me, onOutput)))
        .catch(() => without('broken'))
        .then((result) => {
          if (current === me) current = undefined;
          onEnd(result);
        });
    },
    stop() {
      if (!current) return;
      current.stopped = true;
      tell({ do: 'stop' });
    },
    close,
  };

  function without(message: Message): Result {
    return { message, traceback: '', output: '', checks: [], files: {}, runtime: pack.digest, detail: '', took: 0 };
  }
}

/** What only the exact pack can run: a module of CPython's library that the light one does not have. */
function lacking(result: Result): void {
  const name = /^ModuleNotFoundError: No module named '([\w.]+)'$/m.exec(result.traceback)?.[1];
  if (!name || !exactOnly.has(name.split('.')[0] as string)) return;
  result.message = 'needs_exact';
  result.lacks = name;
}

/** The modules that sources seem to import, by their top names. */
function importsOf(sources: string[]): string[] {
  const found = new Set<string>();
  for (const source of sources) {
    for (const [, one, several] of source.matchAll(/^[ \t]*(?:from[ \t]+([A-Za-z_]\w*)|import[ \t]+([^\n#;]+))/gm)) {
      for (const part of one ? [one] : (several ?? '').split(',')) {
        const name = /^\s*([A-Za-z_]\w*)/.exec(part)?.[1];
        if (name) found.add(name);
      }
    }
  }
  return Array.from(found).slice(0, 20);
}
