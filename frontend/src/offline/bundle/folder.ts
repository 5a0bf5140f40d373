// The folder form of a bundle, as somebody chose it: <course>.root, publisher-<serial>.json, trust.json, blobs/<2 hex>/<64 hex>. It brings
// what is there in the order of a pack, and passes over what is not. What it reads on the way it believes only so far as to find the next file.
import { decode, frameLimit, parse, parseSigned, signedLimit, type Digest } from './documents';
import { BundleError } from './fault';
import type { Frame } from './frames';
import { below, type Child, isManifest, lists, top } from './read';
import type { Progress } from './shelf';
import { digestOf } from './verify';

export async function* folder(files: readonly File[], course: string | undefined, onProgress?: (progress: Progress) => void): AsyncGenerator<Frame, void, void> {
  const heads = new Map<string, File>();
  const blobs = new Map<string, File>();
  for (const file of files) {
    const path = (file.webkitRelativePath || file.name).split('/');
    const name = path[path.length - 1] as string;
    if (/^[0-9a-f]{64}$/.test(name)) blobs.set(name, file);
    else heads.set(name, file);
  }
  const roots = Array.from(heads.keys()).filter((name) => /\.root$/.test(name));
  const root = heads.get(course === undefined && roots.length === 1 ? (roots[0] as string) : `${course ?? ''}.root`);
  if (!root) throw new BundleError('not_a_bundle');
  const of = files.reduce((sum, { size }) => sum + size, 0);
  let bytes = 0;
  const read = async (file: File, limit: number): Promise<Uint8Array<ArrayBuffer>> => {
    if (file.size > limit) throw new BundleError('damaged');
    const got = new Uint8Array(await file.arrayBuffer());
    onProgress?.({ phase: 'checking', bytes: (bytes += got.length), of });
    return got;
  };
  const levels: Record<string, Child[]> = { edition: [], module: [], item: [], blob: [], list: [] };
  const seen = new Set<Digest>();
  const note = (children: Child[]) => {
    for (const child of children) {
      if (seen.has(child.digest)) continue;
      seen.add(child.digest);
      (levels[child.rank] as Child[]).push(child);
    }
  };
  for (let serial = 1, file = heads.get('publisher-1.json'); file; file = heads.get(`publisher-${++serial}.json`)) yield { kind: 'P', bytes: await read(file, signedLimit) };
  const trust = heads.get('trust.json');
  if (trust) {
    const word = await read(trust, signedLimit);
    yield { kind: 'T', bytes: word };
    note(lists(parse('trust', parseSigned(decode(word)).line)));
  }
  const said = await read(root, signedLimit);
  yield { kind: 'R', bytes: said };
  // Whoever reads has checked it now.
  note(top(parse('root', parseSigned(decode(said)).line)));
  for (const rank of ['edition', 'module', 'item', 'blob', 'list']) {
    for (const child of levels[rank] as Child[]) {
      const file = blobs.get(child.digest.slice(7));
      if (!file) continue;
      const got = await read(file, frameLimit);
      if ((await digestOf(got)) !== child.digest) throw new BundleError('damaged');
      if (isManifest(child)) note(below(child, got));
      yield { kind: 'B', bytes: got };
    }
  }
}
