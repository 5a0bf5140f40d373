// Translates Python to JavaScript when the pages are built, with the Brython that would else do so in each worker of a
// learner's, at each start: nine tenths of what an import takes there.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { minifySync } from 'vite';

const cache = 'node_modules/.cache/banyan-packs';

interface Brython {
  url2name: Record<string, string>;
  builtins_scope: unknown;
  restart(): void;
  py2js(source: { src: string; filename: string; imported: true }, name: string, id: string, scope: unknown): { to_js(): string };
}

/** Replaces text that must be there: a new Brython that has it otherwise fails the build. */
export function replaced(text: string, from: string | RegExp, to: string): string {
  const out = text.replace(from, () => to);
  if (out === text) throw new Error(`Brython has no ${String(from)} any more: see vite/runner.ts.`);
  return out;
}

export type Translate = (name: string, source: string, isPackage?: boolean) => string;

/** A translator with a Brython; what it has translated before it finds on the disk. */
export function translator(core: string): Translate {
  // Places in lines are for carets under the learner's code, and cost a third of the bytes.
  const placeless = replaced(core, 'function add_to_positions(scopes,ast_obj){', 'function add_to_positions(scopes,ast_obj){return 0;');
  const settled = replaced(placeless, 'var uuid=Math.floor(Math.random()*1e6);', 'var uuid=0;__BRYTHON__.restart=function(){uuid=0};');
  const by = createHash('sha256').update(settled).update(translated.toString()).digest('hex');
  let brython: Brython | undefined;
  return (name, source, isPackage = false) => {
    const digest = createHash('sha256').update(JSON.stringify([by, name, source, isPackage])).digest('hex');
    return kept(`${digest}.js`, () => Buffer.from(translated((brython ??= start(settled)), name, source, isPackage))).toString();
  };
}

function translated(brython: Brython, name: string, source: string, isPackage: boolean): string {
  const filename = `VFS.${name}${isPackage ? '/__init__.py' : '.py'}`;
  brython.url2name[filename] = name;
  brython.restart();
  const script = brython.py2js({ src: source, filename, imported: true }, name, name, brython.builtins_scope).to_js();
  const bare = script.replace(/^\s*\$B\.set_lineno\(frame, \d+(, '\w+')?\);?$/gm, '').replace(/^\s*frame\.\$lineno = \d+$/gm, '');
  // The outer names stay: Brython asks for locals_<module>.
  const { code, errors } = minifySync('python.cjs', bare, { module: false, compress: false, mangle: { toplevel: false }, codegen: { removeWhitespace: true } });
  if (errors.length) throw new Error(`${name}: ${errors[0]?.message}`);
  return `${code}\n`;
}

// As it is in a worker, but for chance: names are made of it, and the pack would have another digest at each build.
function start(core: string): Brython {
  const nothing = () => undefined;
  const WorkerNavigator = Object;
  const world: Record<string, unknown> = { WorkerNavigator, navigator: {}, WorkerGlobalScope: Object, importScripts: nothing, addEventListener: nothing, postMessage: nothing };
  Object.assign(world, { self: world, console, performance, crypto, TextDecoder, TextEncoder, setTimeout, URL });
  const context = createContext(world);
  runInContext('Math.random=()=>0.5', context);
  runInContext(core, context);
  return world['__BRYTHON__'] as Brython;
}

/** What takes long to make, from the disk when it was made before. */
export function kept(name: string, make: () => Buffer): Buffer {
  const file = join(cache, name);
  if (existsSync(file)) return readFileSync(file);
  const made = make();
  mkdirSync(cache, { recursive: true });
  // Builds run side by side: a file is whole or not there.
  writeFileSync(`${file}.${process.pid}`, made);
  renameSync(`${file}.${process.pid}`, file);
  return made;
}
