// What page, frame and worker say to each other. The page trusts neither of the other two: what comes from there is
// looked at before it is used, and only ever shown as text.

/** What one worker is to run, once. */
export interface Job {
  /** Name and text of the Python that begins. */
  main: string;
  source: string;
  files: Record<string, string>;
  stdin: string;
  seed: number;
  /** Milliseconds since 1970. */
  clock: number;
  maxFiles: number;
  maxFileBytes: number;
  /** Bytes of stdout and stderr together. */
  maxOutput: number;
  /** Modules that the program seems to import: the next worker gets them ready ahead. */
  imports: string[];
}

export type End = 'exited' | 'timed_out' | 'flooded' | 'memory' | 'stopped' | 'broken';

export type ToFrame =
  | { do: 'load'; worker: string; pack: ArrayBuffer; wasm: boolean }
  | { do: 'run'; id: number; job: Job; wall: number }
  | { do: 'stop' };

export type FromFrame =
  | { is: 'ready' }
  | { is: 'failed'; why: string }
  | { is: 'out'; id: number; fd: 1 | 2; data: ArrayBuffer }
  | { is: 'end'; id: number; end: End; why: string; files: Record<string, Uint8Array>; lacks: string; took: number };

/** First the modules to get ready, which the worker answers with warm; then its one job. */
export type ToWorker = { imports: string[] } | { job: Job; module?: WebAssembly.Module };

export type FromWorker =
  | { is: 'warm' }
  | { is: 'out'; fd: 1 | 2; data: ArrayBuffer }
  | { is: 'end'; end: End; why: string; files: Record<string, Uint8Array>; lacks: string };
