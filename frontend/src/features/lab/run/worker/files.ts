// The files of one program: a tree in memory, of which nothing lies on the device. What the program writes is counted,
// as in the grader (internal/lab/sandbox/files.go), so that it meets the same limits in both.
import { errno } from './errno';

export interface Node {
  inode: number;
  dir?: Map<string, Node>;
  data: Uint8Array;
  /** By the program, and counted. */
  made: boolean;
  /** Has no name any more. */
  gone: boolean;
  open: number;
}

/** What a path leads to: a node, if there is one, and where it hangs. */
export interface Place {
  in?: Node;
  name: string;
  node?: Node;
  folder: boolean;
}

const maxName = 255;
const maxPath = 4096;
const empty = new Uint8Array(0);

export class Files {
  readonly root: Node;
  private count = 0;
  private bytes = 0;
  private inode = 1;

  constructor(
    given: Record<string, string>,
    private readonly maxCount: number,
    private readonly maxBytes: number,
  ) {
    this.root = { inode: 1, dir: new Map(), data: empty, made: false, gone: false, open: 0 };
    const encoder = new TextEncoder();
    for (const [name, text] of Object.entries(given)) {
      this.root.dir?.set(name, { inode: ++this.inode, data: encoder.encode(text), made: false, gone: false, open: 0 });
    }
  }

  /** The files at the top that the program made or changed. */
  changed(): Record<string, Uint8Array> {
    const out: Record<string, Uint8Array> = {};
    for (const [name, node] of this.root.dir ?? []) {
      if (!node.dir && node.made) out[name] = node.data.slice();
    }
    return out;
  }

  /** Follows a path from a folder. What would lead out of that folder is refused, as WASI wants it. */
  find(from: Node, path: string): Place | number {
    if (path.length > maxPath) return errno.nameTooLong;
    if (path === '') return errno.noEnt;
    if (path.includes('\0') || path.includes('\ufffd')) return errno.ilSeq;
    if (path[0] === '/') return errno.notCapable;
    if (!from.dir) return errno.notDir;
    const trail: Place[] = [{ name: '', node: from, folder: false }];
    for (const step of path.split('/')) {
      const here = trail[trail.length - 1] as Place;
      if (!here.node) {
        // Something follows what is not there; a slash alone may follow a folder to be made.
        if (step !== '') return errno.noEnt;
        continue;
      }
      if (!here.node.dir) return errno.notDir;
      if (step === '' || step === '.') continue;
      if (step === '..') {
        if (trail.length === 1) return errno.notCapable;
        trail.pop();
      } else if (step.length > maxName) return errno.nameTooLong;
      else trail.push({ in: here.node, name: step, node: here.node.dir.get(step), folder: false });
    }
    const end = trail[trail.length - 1] as Place;
    end.folder = path.endsWith('/');
    return end;
  }

  /** Hangs a new node where find found none. */
  add(at: Place, dir: boolean): Node | number {
    if (this.count >= this.maxCount) return errno.noSpc;
    if (!at.in?.dir || at.in.gone) return errno.noEnt;
    const node: Node = { inode: ++this.inode, data: empty, made: true, gone: false, open: 0 };
    if (dir) node.dir = new Map();
    this.count++;
    at.in.dir.set(at.name, node);
    return node;
  }

  private own(node: Node): number {
    if (node.made) return 0;
    if (this.count >= this.maxCount || this.bytes + node.data.length > this.maxBytes) return errno.noSpc;
    node.data = node.data.slice();
    node.made = true;
    this.count++;
    this.bytes += node.data.length;
    return 0;
  }

  /** Cuts a file or fills it up with zeros. */
  resize(node: Node, size: number): number {
    if (size > this.maxBytes) return errno.noSpc;
    if (!node.made && size === 0) {
      if (this.count >= this.maxCount) return errno.noSpc;
      node.data = empty;
      node.made = true;
      this.count++;
      return 0;
    }
    const fault = this.own(node);
    if (fault) return fault;
    const more = size - node.data.length;
    if (this.bytes + more > this.maxBytes) return errno.noSpc;
    this.bytes += more;
    if (more > 0) {
      const data = new Uint8Array(size);
      data.set(node.data);
      node.data = data;
    } else node.data = node.data.slice(0, size);
    return 0;
  }

  /** All of the bytes, or none. */
  write(node: Node, at: number, data: Uint8Array): number {
    const end = at + data.length;
    if (at > this.maxBytes || end > this.maxBytes) return errno.noSpc;
    let fault = this.own(node);
    if (!fault && end > node.data.length) fault = this.resize(node, end);
    if (!fault) node.data.set(data, at);
    return fault;
  }

  /** Takes a name away. A file that is open lives on without one. */
  remove(at: Place): void {
    at.in?.dir?.delete(at.name);
    if (!at.node) return;
    at.node.gone = true;
    this.forget(at.node);
  }

  /** Ends one use of a node. */
  release(node: Node): void {
    node.open--;
    if (node.gone) this.forget(node);
  }

  private forget(node: Node): void {
    if (node.open > 0 || !node.made) return;
    this.count--;
    this.bytes -= node.data.length;
    node.data = empty;
    node.made = false;
  }

  /** Gives a node another name, and takes the place of what has it. */
  move(from: Place, to: Place): number {
    if (!from.node) return errno.noEnt;
    if (!from.in || (!to.in && to.node)) return errno.busy;
    if (to.in?.gone) return errno.noEnt;
    if (from.node === to.node) return 0;
    if (!from.node.dir && (from.folder || to.folder)) return errno.notDir;
    if (from.node.dir && holds(from.node, to.in)) return errno.inval;
    if (to.node) {
      if (from.node.dir && !to.node.dir) return errno.notDir;
      if (!from.node.dir && to.node.dir) return errno.isDir;
      if (to.node.dir?.size) return errno.notEmpty;
    }
    const fault = this.own(from.node);
    if (fault) return fault;
    if (to.node) this.remove(to);
    from.in.dir?.delete(from.name);
    to.in?.dir?.set(to.name, from.node);
    return 0;
  }

  /** The names in a folder, with the two entries that POSIX wants. */
  list(node: Node): [string, Node][] {
    const own = Array.from(node.dir ?? []).sort(([a], [b]) => (a < b ? -1 : 1));
    return [['.', node], ['..', node], ...own];
  }
}

function holds(node: Node, other: Node | undefined): boolean {
  return node === other || Array.from(node.dir?.values() ?? []).some((child) => holds(child, other));
}
