// The worker of the light pack. Its script begins with Brython and the part of its library that labs use (see
// vite/packs.ts); this comes after it.
import type { Job } from './wire';
import { clock, splitmix64 } from './chance';
import banyan from '../../../../../../internal/lab/grading/banyan.py?translated';
import harness from '../../../../../../internal/lab/grading/harness.py?translated';
import judge from '../../../../../../internal/lab/grading/judge.py?translated';
import prelude from './light.py?translated';
import { Flood, Output, serve } from './output';
import { textDigest } from './text-digest';

interface Brython {
  banyan: unknown;
  VFS: Record<string, unknown>;
  builtins: {
    AttributeError: unknown;
    ImportError: unknown;
    NameError: unknown;
    None: unknown;
    BaseException: { tp_str: (fault: { args: unknown[] }) => string };
    OSError: unknown;
    bytes: { $factory(list: number[]): unknown };
    repr(value: unknown): string;
    str: { $factory(value: unknown): string };
    tuple: { $factory(list: unknown[]): unknown };
  };
  $isinstance(value: unknown, of: unknown): boolean;
  handle_error: (cause: unknown) => void;
  class_name(value: unknown): string;
  $list(items: unknown[]): unknown;
}
declare const __BRYTHON__: Brython;

const brython = __BRYTHON__;
const { AttributeError, BaseException, bytes, ImportError, NameError, None, OSError, repr, str, tuple } = brython.builtins;
const encoder = new TextEncoder();

let output: Output | undefined;
let files = new Map<string, Uint8Array>();
let changed = new Set<string>();
let limits = { files: 0, bytes: 0 };
let stdin = '';
let fill: (into: Uint8Array) => void = splitmix64(0);
let wall = clock(0);
let steady = clock(0);
let over = false;

/** Goes through all Python on its way out, whatever that catches. */
class Leave extends Error {}

function end(...args: Parameters<Output['end']>): void {
  if (over) return;
  over = true;
  output?.end(...args);
}

function print(fd: number, data: Uint8Array): void {
  if (over) throw new Leave();
  try {
    output?.write(fd === 2 ? 2 : 1, data);
  } catch (cause) {
    if (cause instanceof Flood) end('flooded');
    throw cause;
  }
}

/** Bytes of Python, whatever class Brython gives them. */
const raw = (data: unknown): Uint8Array => (typeof data === 'string' || data instanceof String ? encoder.encode(String(data)) : Uint8Array.from((data as { source: number[] }).source));

const host = {
  /** Set by light.py: runs Python, and tells what it raised. */
  begin: undefined as ((name: string, source: string) => string) | undefined,
  /** Set by light.py: makes chance begin anew. */
  reseed: undefined as (() => void) | undefined,
  /** Set by light.py: imports modules. */
  ahead: undefined as ((names: unknown) => void) | undefined,
  /** Set by light.py: closes the files that are open. */
  settle: undefined as (() => void) | undefined,
  print: (fd: number, text: string) => print(fd, encoder.encode(String(text))),
  write(fd: number, data: unknown) {
    const all = raw(data);
    print(fd, all);
    return all.length;
  },
  leave(code: unknown) {
    end('exited', `exit ${String(code)}`, changes());
    throw new Leave();
  },
  quote: (text: string) => JSON.stringify(String(text)).replace(/[\u007f-\uffff]/g, (c) => `\\u${`000${c.charCodeAt(0).toString(16)}`.slice(-4)}`),
  read_stdin(size: number) {
    const got = size < 0 ? stdin : stdin.slice(0, size);
    stdin = stdin.slice(got.length);
    return got;
  },
  read_stdin_line() {
    const at = stdin.indexOf('\n') + 1;
    const got = at ? stdin.slice(0, at) : stdin;
    stdin = stdin.slice(got.length);
    return got;
  },
  names: () => brython.$list(Array.from(files.keys()).sort()),
  size: (name: string) => files.get(name)?.length ?? -1,
  read_text(name: string, encoding: string) {
    try {
      const label = encoding === 'utf-8-sig' ? 'utf-8' : encoding;
      return new TextDecoder(label, { fatal: true, ignoreBOM: encoding !== 'utf-8-sig' }).decode(files.get(name));
    } catch {
      return None;
    }
  },
  read_bytes: (name: string) => bytes.$factory(Array.from(files.get(name) ?? [])),
  store(name: string, data: unknown) {
    const all = raw(data);
    const others = Array.from(changed).filter((one) => one !== name);
    const held = others.reduce((sum, one) => sum + (files.get(one)?.length ?? 0), 0);
    if (others.length >= limits.files || held + all.length > limits.bytes) return false;
    files.set(name, all);
    changed.add(name);
    return true;
  },
  remove(name: string) {
    changed.delete(name);
    return files.delete(name);
  },
  rename(from: string, to: string) {
    const data = files.get(from);
    if (!data) return false;
    files.delete(from);
    files.set(to, data);
    changed.delete(from);
    changed.add(to);
    return true;
  },
  now: () => wall(),
  steady: () => steady(),
  fill: (into: ArrayBuffer) => fill(new Uint8Array(into)),
  chance(size: number) {
    const into = new Uint8Array(size);
    fill(into);
    return bytes.$factory(Array.from(into));
  },
};
brython.banyan = host;

function changes(): Record<string, Uint8Array> {
  host.settle?.();
  const out: Record<string, Uint8Array> = {};
  for (const name of changed) {
    const data = files.get(name);
    if (data && !name.includes('/')) out[name] = data;
  }
  return out;
}

function prepare(job: Job): void {
  output = new Output(job.maxOutput);
  elements = mostElements;
  files = new Map();
  for (const [name, text] of Object.entries(job.files)) {
    files.set(name, encoder.encode(text));
    // What a program imports of its own, Brython finds among its library.
    const module = /^([A-Za-z_]\w*)\.py$/.exec(name);
    const own = module?.[1];
    if (own && !Object.prototype.hasOwnProperty.call(brython.VFS, own)) brython.VFS[own] = ['.py', text, [], 0, own === 'banyan' ? ready(text, banyan) : undefined];
  }
  changed = new Set();
  limits = { files: job.maxFiles, bytes: job.maxFileBytes };
  stdin = job.stdin;
  fill = splitmix64(job.seed);
  wall = clock(job.clock);
  steady = clock(0);
}

function word(cause: unknown): string {
  try {
    return `${brython.class_name(cause)}: ${String(str.$factory(cause))}`;
  } catch {
    return String(cause);
  }
}

// The run's own time, in UTC, for all that asks JavaScript. Brython's time and datetime do.
class FixedDate extends Date {
  constructor(...args: number[]) {
    if (args.length > 1) super(Date.UTC(...(args as [number, number])));
    else super(args.length ? (args[0] as number) : wall());
  }

  static override now(): number {
    return wall();
  }

  override getTimezoneOffset(): number {
    return 0;
  }
}
const inUTC = Date.prototype as unknown as Record<string, unknown>;
for (const part of ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds']) {
  inUTC[`get${part}`] = inUTC[`getUTC${part}`];
}
self.Date = FixedDate as DateConstructor;

// Faults read as they do in CPython: Brython shows the first argument alone.
BaseException.tp_str = (fault) => {
  const { args } = fault;
  const [first, second, name] = args;
  // Brython adds arguments of its own to these.
  const own = [AttributeError, NameError, ImportError].some((kind) => brython.$isinstance(fault, kind));
  if (args.length < 2 || own) return args.length ? String(str.$factory(first)) : '';
  if (!brython.$isinstance(fault, OSError)) return String(repr(tuple.$factory(Array.from(args))));
  return `[Errno ${str.$factory(first)}] ${str.$factory(second)}${name === undefined || name === None ? '' : `: ${repr(name)}`}`;
};

// JavaScript has no limit of memory that a program could be told about: a browser whose memory is full takes the page along.
// So what is made in bulk is counted, and a program that makes too much ends as in the grader.
const mostElements = 100_000_000;
let elements = mostElements;
const sizeOf = (value: unknown): number =>
  typeof value === 'number' ? Math.max(0, value) : ((value as { source?: unknown[] } | null)?.source ?? (value as unknown[] | null))?.length ?? 0;
function count(made: number): void {
  elements -= made;
  if (elements >= 0) return;
  end('memory');
  throw new Leave();
}
type Slots = Record<string, (...args: unknown[]) => unknown>;
function guard(slots: Slots, name: string, size: (args: unknown[]) => number): void {
  const slot = slots[name];
  if (slot) {
    slots[name] = function (this: unknown, ...args) {
      count(size(args));
      return slot.apply(this, args);
    };
  }
}
const types = brython.builtins as unknown as Record<string, Slots>;
const product = ([a, b]: unknown[]) => sizeOf(a) * sizeOf(b);
for (const name of ['list', 'tuple', 'bytes', 'bytearray'] as const) {
  const type = types[name] as Slots;
  guard(type, 'sq_repeat', product);
  guard(type, 'nb_inplace_multiply', product);
  guard(type, 'sq_concat', ([a, b]) => sizeOf(a) + sizeOf(b));
  guard(type, 'nb_inplace_add', ([, b]) => sizeOf(b));
}
guard(types['str'] as Slots, 'sq_repeat', (args) => product(args) / 8);
guard(types['bytes'] as Slots, 'tp_new', ([, args]) => sizeOf((args as unknown[] | undefined)?.[0]));

// Brython would print it; nothing is left to print for.
brython.handle_error = (cause) => {
  throw cause;
};
// It tells the console of each fault on its way.
for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) self.console[name] = () => undefined;

/** What was translated in the build, when it was made of this text. */
function ready(source: string, ...of: (typeof harness)[]): string | undefined {
  const digest = textDigest(source);
  return of.find((one) => one.digest === digest)?.script;
}

// What Brython itself does with a script that it has translated.
const start = (script: string) => void new Function(script)();

try {
  start(prelude.script);
} catch (cause) {
  throw new Error(word(cause));
}

// What was imported ahead of the job must not know: chance begins anew.
serve(
  (imports) => host.ahead?.(brython.$list(imports.filter((name) => Object.prototype.hasOwnProperty.call(brython.VFS, name)))),
  (job) => {
    try {
      prepare(job);
      const script = ready(job.source, harness, judge);
      host.reseed?.();
      if (script) start(script);
      end('exited', script ? '' : String(host.begin?.(job.main, job.source)), changes());
    } catch (cause) {
      end('exited', word(cause), changes());
    }
  },
);
