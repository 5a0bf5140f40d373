// What a learner's code runs in, in the page (docs/lab-runner.md): the scripts of its workers as texts that the page
// hands to the frame, and the light pack, Brython with the part of its library that labs use.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build, type Plugin, type Rollup } from 'vite';
import { textDigest } from '../src/features/lab/run/worker/text-digest.ts';
import { kept, replaced, translator, type Translate } from './python.ts';

const python = ['light.py', ...['harness.py', 'judge.py', 'banyan.py'].map((name) => `../../../../../../internal/lab/grading/${name}`)];
const workers = /^virtual:lab-worker\/(light|exact)$/;

/** `virtual:lab-worker/light` and `/exact`: a worker's whole script, as text. */
export function labWorkers(folder: string): Plugin {
  return {
    name: 'banyan-lab-workers',
    resolveId: (id) => (workers.test(id) ? `\0${id}` : null),
    async load(id) {
      const name = id.startsWith('\0') ? workers.exec(id.slice(1))?.[1] : undefined;
      if (!name) return null;
      for (const file of ['chance', 'errno', 'exact', 'files', 'light', 'output', 'wasi', 'wire']) this.addWatchFile(join(folder, `${file}.ts`));
      for (const file of python) this.addWatchFile(join(folder, file));
      const result = (await build({
        configFile: false,
        logLevel: 'error',
        root: folder,
        plugins: [translatedFiles(folder)],
        build: { target: 'chrome80', write: false, lib: { entry: join(folder, `${name}.ts`), formats: ['iife'], name: 'lab' }, minify: true },
      })) as Rollup.RollupOutput[];
      return `export default ${JSON.stringify(result[0]?.output[0].code ?? '')}`;
    },
  };
}

/** What a program for a lab may import; its closure is packed. */
const roots = `sys builtins math random json re collections collections.abc itertools functools operator statistics datetime time string
  textwrap copy csv io dataclasses enum typing abc heapq bisect fractions decimal numbers pprint contextlib types calendar os keyword hashlib
  crypto_js.rollups.md5 crypto_js.rollups.sha1 crypto_js.rollups.sha256 crypto_js.rollups.sha512 base64 struct array warnings traceback weakref
  posix errno gc colorsys difflib queue unittest`.split(/\s+/);

/** What these import somewhere in their depths and labs never reach: half of the library. unicodedata would fetch its table. */
const left = new Set(
  `doctest pdb argparse pydoc gettext email email.utils unittest.async_case unittest.main unittest.signals asyncio subprocess socket
  importlib.metadata importlib.resources importlib.readers importlib.resources.readers importlib._bootstrap importlib._bootstrap_external
  zipfile tarfile logging _pyrepl _pyrepl.utils pkgutil py_compile shutil tempfile rlcompleter code cmd bdb pickle multiprocessing zipimport
  signal glob uuid ntpath unicodedata`.split(/\s+/),
);

/** Modules that few programs import stay Python: as JavaScript they are five times as large. */
const asPython = /^(unittest|difflib|_ast_unparse|_frozen_importlib|ast|tokenize|threading|queue|locale)(\.|$)/;

type Entry = [extension: '.py' | '.js', source: string, imports?: string[], isPackage?: 1 | 0, script?: string];
type Library = Record<string, Entry>;

/** Brython's library of files, out of the script that it comes in. */
export function libraryIn(script: string): Library {
  const library = JSON.parse(script.slice(script.indexOf('{'), script.lastIndexOf('}') + 1)) as Library & { $timestamp?: number };
  delete library.$timestamp;
  return library;
}

/** The named modules and all that they import, but for what is left out. */
export function closure(library: Library, names: string[], without: Set<string>): Library {
  const found: Library = {};
  const add = (name: string): void => {
    const entry = library[name];
    if (!entry || found[name] || without.has(name)) return;
    found[name] = entry;
    const parts = name.split('.');
    parts.slice(1).forEach((_, i) => add(parts.slice(0, i + 1).join('.')));
    for (const other of entry[2] ?? []) add(other.startsWith('.') ? name + other : other);
  };
  names.forEach(add);
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What Brython uses and Chrome 80 lacks. Syntax that it lacks, `||=`, is rewritten below. */
const lacking = `Object.hasOwn||(Object.hasOwn=function(o,k){return Object.prototype.hasOwnProperty.call(o,k)});
Array.prototype.toReversed||(Array.prototype.toReversed=function(){return this.slice().reverse()});
Set.prototype.difference||(Set.prototype.difference=function(o){return new Set(Array.from(this).filter(function(x){return !o.has(x)}))});`;

/** The modules of the light pack. */
export function lightLibrary(stdlib: string): Library {
  const all = libraryIn(stdlib);
  for (const name of roots) if (!all[name] && name !== 'collections.abc') throw new Error(`Brython's library has no ${name} any more.`);
  return closure(all, roots, left);
}

/** Brython itself, for a worker of a blob. */
function lightCore(core: string): string {
  // The worker's address is a blob's, and that of an opaque origin: Brython cannot make anything of it.
  const place = '({href:"http://lab/py/main.py",origin:"http://lab",pathname:"/py/main.py"})';
  const placed = replaced(core, /\b(?:_window|globalThis|window)\.location\b(?!\s*\|\|)/g, place);
  // What is not in the library is nowhere: Brython would ask a server for it, and no server can be asked.
  const alone = replaced(replaced(placed, /static_stdlib_import\s*!==\s*false\s*&&/, 'false&&'), /if\([^()]*\)\{(?=meta_path\.push\(\$B\.finders\.path\))/, 'if(false){');
  // Told as CPython tells it: with the name alone, nobody could say what is missing.
  const told = replaced(alone, 'var message=mod_name;', `var message="No module named '"+mod_name+"'";`);
  // A module that was translated in the build is not translated again.
  const ask = 'root=$B.py2js(src,module,$B.module_getattr(module,"__name__"),$B.builtins_scope)';
  const ready = replaced(told, ask, `var entry=$B.VFS[mod_name];if(entry&&entry[4]){root={imports:{},to_js:function(){return entry[4]}}}else{${ask}}`);
  // The library was translated without places in lines (vite/python.ts), and asks a data class for its annotations.
  const placeless = replaced(ready, 'frame.positions = $B.frame_obj.prev.frame.positions', 'frame.positions = $B.frame_obj.prev.frame.positions || []');
  return `${lacking}\n${placeless.replace(/([\w.]+)\s*\|\|=/g, '$1=$1||')}`;
}

/** The light pack's script. */
export function lightPack(core: string, stdlib: string, licence: string): string {
  const library = lightLibrary(stdlib);
  const entry = library['_random'] as Entry;
  // A generator without a seed takes the run's own chance, as CPython takes it from the system.
  entry[1] = replaced(entry[1], 'crypto.getRandomValues(entries)', '$B.banyan.fill(entries.buffer)');
  // Its parts have 32 bits: with 2**32 - 1 every seed above that, so every text, would give other numbers than CPython.
  entry[1] = replaced(entry[1], '2n ** 32n - 1n', '2n ** 32n');
  // Files of the run are opened by light.py, which has replaced the builtin by the time.
  const io = library['_io'] as Entry;
  io[1] = replaced(io[1], 'open=__open', 'import builtins\nopen=builtins.open');
  // It asks that only for the endings of names of modules, and pulls in the whole of importlib.
  const inspect = library['inspect'] as Entry;
  inspect[1] = replaced(inspect[1], 'import importlib.machinery', 'importlib=None');
  const os = library['os'] as Entry;
  os[1] = replaced(os[1], /environ=\{[^}]*\}/, 'environ={}');
  const brython = lightCore(core);
  const translate = translator(brython);
  for (const [name, one] of Object.entries(library)) {
    if (one[0] !== '.py' || asPython.test(name)) continue;
    library[name] = ['.py', '', one[2] ?? [], one[3] ?? 0, translate(name, one[1], !!one[3])];
  }
  return `/*\n${licence}*/\n${brython}\n__BRYTHON__.use_VFS=true;__BRYTHON__.update_VFS(${JSON.stringify(library)});\n`;
}

const installed = (name: string) => readFileSync(join(dirname(createRequire(import.meta.url).resolve('brython/package.json')), name), 'utf8');

let toJS: Translate | undefined;

/** `name.py?translated`: the text of a Python file, and the JavaScript that Brython makes of it under a module's name. */
function translatedFiles(folder: string): Plugin {
  const names: Record<string, string> = { 'light.py': 'banyan_light', 'harness.py': '__main__', 'judge.py': '__main__', 'banyan.py': 'banyan' };
  return {
    name: 'banyan-translated',
    resolveId: (id) => (id.endsWith('.py?translated') ? join(folder, id) : null),
    load(id) {
      if (!id.endsWith('?translated')) return null;
      const file = id.slice(0, -'?translated'.length);
      const source = readFileSync(file, 'utf8');
      toJS ??= translator(lightCore(installed('brython.min.js')));
      const script = toJS(names[basename(file)] ?? basename(file, '.py'), source);
      return `export default ${JSON.stringify({ digest: textDigest(source), script })}`;
    },
  };
}

/** Puts the light pack into the build, named by its digest, with its brotli coding beside it. */
export function packs(): Plugin {
  return {
    name: 'banyan-packs',
    apply: 'build',
    generateBundle() {
      const licence = readFileSync(fileURLToPath(new URL('../licences/brython.txt', import.meta.url)), 'utf8');
      const script = Buffer.from(lightPack(installed('brython.min.js'), installed('brython_stdlib.js'), licence));
      const digest = createHash('sha256').update(script).digest('hex');
      this.emitFile({ type: 'asset', fileName: `packs/light-${digest.slice(0, 16)}.js`, source: script });
      this.emitFile({ type: 'asset', fileName: `packs/light-${digest.slice(0, 16)}.js.br`, source: brotli(script, digest) });
    },
  };
}

// The best coding takes seconds, and the pack rarely changes.
const brotli = (script: Buffer, digest: string) =>
  kept(`${digest}.br`, () => brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: script.length } }));
