// The worker of the exact pack: the grader's own Python, a WebAssembly module with everything initialised in its data.
import type { Job } from './wire';
import { errno } from './errno';
import { Flood, Output, serve } from './output';
import { createWorld, Exit } from './wasi';

interface Python {
  memory: WebAssembly.Memory;
  banyan_buffer(): number;
  banyan_run(size: number): number;
}

function work(job: Job, module?: WebAssembly.Module): void {
  const output = new Output(job.maxOutput);
  try {
    if (!module) throw new Error('no module');
    const world = createWorld(job, output);
    const known: Record<string, unknown> = {};
    for (const { name, kind } of WebAssembly.Module.imports(module)) {
      if (kind === 'function') known[name] = world.imports[name] ?? (() => errno.noSys);
    }
    const python = new WebAssembly.Instance(module, { wasi_snapshot_preview1: known as WebAssembly.ModuleImports }).exports as unknown as Python;
    world.bind(python.memory);
    const program = new TextEncoder().encode(`${job.main}\0${job.source}`);
    new Uint8Array(python.memory.buffer, python.banyan_buffer(), program.length).set(program);
    let why = '';
    try {
      why = `exit ${python.banyan_run(program.length)}`;
    } catch (cause) {
      if (cause instanceof Flood) return output.end('flooded');
      // A trap: the program ran out of stack in C. What it said before is read as after any other end.
      why = cause instanceof Exit ? `exit ${cause.code}` : String(cause);
    }
    output.end('exited', why, world.files.changed());
  } catch (cause) {
    output.end(cause instanceof RangeError ? 'memory' : 'broken', String(cause));
  }
}

// Everything that a program imports is ready in the module.
serve(() => undefined, work);
