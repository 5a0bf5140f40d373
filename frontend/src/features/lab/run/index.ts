// Runs a learner's code and the visible checks of a lab in the browser, as a preview of what the grader will say.
// The code runs in a worker inside a frame of opaque origin; see docs/lab-runner.md. Load this folder with import()
// on the first press of Run: its bytes belong to no page.
import type { Pack } from './pack';
import type { CheckRule } from './rule';

export type { Pack, PackID } from './pack';
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
  /** Fetches the pack (or takes it from the device) and makes the frame ready. Twice is no error. Rejects with a PackError. */
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

export declare function createRunner(options: RunnerOptions): Runner;
