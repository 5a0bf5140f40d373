// What one run of the harness tells, as internal/lab/grading/grade.go reads it. All of it but the first line with the nonce may
// have been written by the learner's code.
import type { Message } from './index';
import type { Answer } from './judge';
import type { End } from './worker/wire';

/** What the harness saw of one call. */
export interface Seen {
  value?: unknown;
  repr?: string;
  raised?: string;
  /** Builtin classes of what was raised, the nearest first. */
  classes?: string[];
}

export interface Report {
  message?: Message;
  traceback: string;
  seen: Seen[];
  /** What the program printed while it loaded, without records of the module banyan. */
  stdout: string;
  /** The files that it wrote, as text. */
  files: Record<string, string>;
}

/** A word that no program guesses; it marks the harness's own lines. */
export function makeNonce(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from(crypto.getRandomValues(new Uint8Array(26)), (byte) => letters[byte % 32]).join('');
}

/** Collects what a run prints, and hands on what the program itself prints while it loads. */
export class Listener {
  private decoder = new TextDecoder();
  private errors = new TextDecoder();
  private pending = '';
  private bytes = 0;
  stdout = '';
  stderr = '';
  /** The program printed more than its lab allows. */
  flooded = false;
  private loaded = false;
  private readonly mark: string;

  constructor(
    nonce: string,
    private readonly limit: number,
    private readonly onOutput: (chunk: string) => void,
  ) {
    this.mark = `\n${nonce}\n`;
  }

  hear(fd: number, data: ArrayBuffer): void {
    if (fd === 2) {
      this.stderr += this.errors.decode(data, { stream: true });
      return;
    }
    if (this.loaded || this.flooded) return;
    this.bytes += data.byteLength;
    this.pending += this.decoder.decode(data, { stream: true });
    const at = this.pending.indexOf(this.mark);
    if (at >= 0) {
      this.loaded = true;
      this.say(this.pending.slice(0, at));
      this.pending = '';
      return;
    }
    // The end may be the beginning of the mark.
    this.flooded = this.bytes > this.limit + this.mark.length;
    const held = this.flooded ? 0 : beginning(this.pending, this.mark);
    this.say(this.pending.slice(0, this.pending.length - held));
    this.pending = this.pending.slice(this.pending.length - held);
  }

  /** No more will come. */
  close(): void {
    if (!this.loaded) this.say(this.pending + this.decoder.decode());
    this.pending = '';
    this.loaded = true;
  }

  private say(text: string): void {
    if (!text) return;
    this.stdout += text;
    this.onOutput(text);
  }
}

/** How much of the end of a text could be the beginning of the mark. */
function beginning(text: string, mark: string): number {
  for (let n = Math.min(mark.length - 1, text.length); n > 0; n--) {
    if (text.endsWith(mark.slice(0, n))) return n;
  }
  return 0;
}

const loadMessages: Record<string, Message> = { syntax: 'syntax', error: 'error', exit: 'exit', memory: 'memory' };

/** Takes the harness's word out of what a run left behind. */
export function readReport(heard: Listener, nonce: string, calls: number, limit: number, end: End, files: Record<string, Uint8Array>): Report {
  const report: Report = { traceback: '', stdout: withoutRecords(heard.stdout), seen: [], files: {} };
  const stop = (message: Message, traceback = ''): Report => ({ ...report, message, traceback });
  if (end === 'stopped') return stop('stopped');
  if (end === 'timed_out') return stop('timeout');
  if (end === 'flooded' || heard.flooded || new TextEncoder().encode(heard.stdout).length > limit) return stop('flood');
  if (end === 'memory') return stop('memory');
  if (end === 'broken') return stop('broken');
  let compiled: string | undefined;
  let said: string | undefined;
  for (const line of heard.stderr.split('\n')) {
    if (compiled === undefined && line.startsWith(`${nonce} C `)) compiled = line.slice(nonce.length + 3);
    if (line.startsWith(`${nonce} O `)) said = line.slice(nonce.length + 3);
  }
  if (compiled === undefined) return stop('broken');
  if (compiled !== '[]') return stop('author');
  const told = parse(said);
  if (!told) return stop(heard.stderr.includes('MemoryError') ? 'memory' : 'no_result');
  const { load, seen } = told;
  if (Array.isArray(load)) {
    const message = loadMessages[String(load[0])];
    return message ? stop(message, String(load[1])) : stop('no_result');
  }
  if (!Array.isArray(seen) || seen.length !== calls) return stop('no_result');
  report.seen = seen.map(seenOf);
  for (const [name, data] of Object.entries(files)) report.files[name] = new TextDecoder().decode(data);
  return report;
}

/** What the learner's code may have written is taken for nothing but what it claims to be. */
function seenOf(raw: unknown): Seen {
  const { value, repr, raised, classes } = (raw && typeof raw === 'object' ? raw : {}) as Record<string, unknown>;
  const out: Seen = {};
  if (value !== undefined) out.value = value;
  if (typeof repr === 'string') out.repr = repr;
  if (typeof raised === 'string') out.raised = raised;
  if (Array.isArray(classes)) out.classes = classes.map(String);
  return out;
}

/** Takes off what the module banyan printed: from the byte RS to the end of its line. */
export function withoutRecords(text: string): string {
  return text.replace(/\x1e[^\n]*(?:\n|$)/g, '');
}

/** The answers of the second room, strictly: one line with the nonce. */
export function readAnswers(stderr: string, nonce: string, tasks: number): Answer[] {
  const lines = stderr.split('\n').filter((line) => line.startsWith(`${nonce} J `));
  try {
    const answers = JSON.parse((lines[0] ?? '').slice(nonce.length + 3)) as Answer[];
    if (lines.length === 1 && Array.isArray(answers) && answers.length === tasks) return answers;
  } catch {
    // As when the scripts ended Python.
  }
  return Array.from({ length: tasks }, () => ({ error: 'the scripts gave no answer' }));
}

function parse(said: string | undefined): { load?: unknown; seen?: unknown } | undefined {
  try {
    const told = JSON.parse(said ?? '') as unknown;
    return told && typeof told === 'object' ? told : undefined;
  } catch {
    return undefined;
  }
}
