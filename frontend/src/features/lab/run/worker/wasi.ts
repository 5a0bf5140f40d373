// What a program gets of the world: WASI preview 1 as far as CPython uses it, over nothing but memory. It follows the
// grader's own (internal/lab/sandbox/wasi*.go), case by case: files, limits, clock and chance are most of it, and must be
// the same there and here. So it is written here and not taken from a package.
import type { Job } from './wire';
import { clock, splitmix64 } from './chance';
import { errno } from './errno';
import { Files, type Node, type Place } from './files';
import type { Output } from './output';

/** Ends the program from within. */
export class Exit {
  constructor(readonly code: number) {}
}

/** An open file: a stream when it has no node. */
interface Handle {
  node?: Node;
  at: number;
  flags: number;
  read: boolean;
  write: boolean;
  /** Of a folder that is being listed. */
  list?: [string, Node][];
}

type Call = (...args: never[]) => unknown;
type N = number;

const kind = { stream: 2, folder: 3, file: 4 };
const create = 1;
const folder = 2;
const exclusive = 4;
const truncate = 8;
const append = 1;
const maxOpen = 64;
const rightRead = BigInt(1 << 1);
const rightWrite = BigInt(1 << 6);
const rightsAll = BigInt((1 << 29) - 1);
const none = BigInt(0);
const tick = BigInt(1_000_000);

/** A fault on the way out of a call. */
class Fault {
  constructor(readonly errno: number) {}
}

function refuse(fault: number): never {
  throw new Fault(fault);
}

export interface World {
  files: Files;
  imports: Record<string, Call>;
  /** Tells which memory the program has; before its first call. */
  bind(memory: WebAssembly.Memory): void;
}

export function createWorld(job: Job, output: Output): World {
  const files = new Files(job.files, job.maxFiles, job.maxFileBytes);
  const stdin = new TextEncoder().encode(job.stdin);
  let taken = 0;
  const stream = (read: boolean): Handle => ({ at: 0, flags: 0, read, write: !read });
  const open: (Handle | undefined)[] = [stream(true), stream(false), stream(false), { node: files.root, at: 0, flags: 0, read: true, write: false }];
  files.root.open++;
  const fill = splitmix64(job.seed);
  const wall = clock(job.clock);
  const steady = clock(0);

  let memory: WebAssembly.Memory;
  // Looked up at every use: memory that grows moves.
  const view = () => new DataView(memory.buffer);
  const bytes = (at: N, size: N) => new Uint8Array(memory.buffer, at >>> 0, size >>> 0);
  const put32 = (at: N, value: N) => view().setUint32(at >>> 0, value, true);
  const put64 = (at: N, value: bigint) => view().setBigUint64(at >>> 0, value, true);
  const decoder = new TextDecoder();

  const handle = (fd: N): Handle => open[fd] ?? refuse(errno.badF);
  const file = (fd: N): Handle & { node: Node } => {
    const h = handle(fd);
    if (!h.node) refuse(errno.sPipe);
    if (h.node?.dir) refuse(errno.isDir);
    return h as Handle & { node: Node };
  };
  const find = (fd: N, at: N, size: N): Place => {
    const from = handle(fd).node ?? refuse(errno.notDir);
    const place = files.find(from, decoder.decode(bytes(at, size)));
    return typeof place === 'number' ? refuse(place) : place;
  };
  const existing = (fd: N, at: N, size: N): Place & { node: Node } => {
    const place = find(fd, at, size);
    if (!place.node) refuse(errno.noEnt);
    return place as Place & { node: Node };
  };
  const check = (fault: number) => {
    if (fault) refuse(fault);
  };

  /** Goes through the buffers of a read or write until one is not used up. What was done before a fault is told first. */
  const each = (at: N, count: N, take: (part: Uint8Array) => number): number => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const v = view();
      const part = bytes(v.getUint32(at + 8 * i, true), v.getUint32(at + 8 * i + 4, true));
      try {
        const done = take(part);
        sum += done;
        if (done < part.length) break;
      } catch (cause) {
        if (cause instanceof Fault && sum) break;
        throw cause;
      }
    }
    return sum;
  };
  const readAt = (h: Handle & { node: Node }, from: number, at: N, count: N) => {
    if (!h.read) refuse(errno.badF);
    let position = from;
    return each(at, count, (part) => {
      const got = h.node.data.subarray(position, position + part.length);
      part.set(got);
      position += got.length;
      return got.length;
    });
  };
  const writeAt = (h: Handle & { node: Node }, to: number, at: N, count: N) => {
    if (!h.write) refuse(errno.badF);
    let position = to;
    return each(at, count, (part) => {
      if (part.length) check(files.write(h.node, position, part));
      position += part.length;
      return part.length;
    });
  };
  const putStat = (at: N, node: Node | undefined) => {
    bytes(at, 64).fill(0);
    view().setUint8(at + 16, !node ? kind.stream : node.dir ? kind.folder : kind.file);
    if (node) put64(at + 8, BigInt(node.inode));
    if (!node?.gone) put64(at + 24, BigInt(1));
    if (node && !node.dir) put64(at + 32, BigInt(node.data.length));
  };
  const nothing = (at: N, size: N) => {
    put32(at, 0);
    put32(size, 0);
  };
  const any = (fd: N) => void handle(fd);
  const noSocket = (fd: N) => {
    handle(fd);
    refuse(errno.notSock);
  };
  const refused = (fault: number) => () => fault;
  const done = () => 0;

  const calls: Record<string, Call> = {
    args_sizes_get: nothing,
    args_get: done,
    environ_sizes_get: nothing,
    environ_get: done,
    clock_res_get(id: N, at: N) {
      if (id > 3) refuse(errno.inval);
      put64(at, tick);
    },
    clock_time_get(id: N, _precision: bigint, at: N) {
      if (id > 3) refuse(errno.inval);
      put64(at, BigInt(id === 0 ? wall() : steady()) * tick);
    },
    random_get: (at: N, size: N) => fill(bytes(at, size)),
    sched_yield: done,
    proc_exit(code: N) {
      throw new Exit(code);
    },
    // Everything has happened: a program that waits goes on at once.
    poll_oneoff(from: N, to: N, count: N, done: N) {
      if (!count) refuse(errno.inval);
      for (let i = 0; i < count; i++) {
        const user = view().getBigUint64(from + 48 * i, true);
        const what = view().getUint8(from + 48 * i + 8);
        bytes(to + 32 * i, 32).fill(0);
        put64(to + 32 * i, user);
        view().setUint8(to + 32 * i + 10, what);
      }
      put32(done, count);
    },

    fd_advise: any,
    fd_datasync: any,
    fd_sync: any,
    fd_filestat_set_times: any,
    fd_fdstat_set_rights: refused(errno.notSup),
    fd_allocate(fd: N, at: bigint, size: bigint) {
      const h = file(fd);
      if (!h.write) refuse(errno.badF);
      if (size === none) refuse(errno.inval);
      const end = Number(at + size);
      if (end > h.node.data.length) check(files.resize(h.node, end));
    },
    fd_close(fd: N) {
      const h = handle(fd);
      open[fd] = undefined;
      if (h.node) files.release(h.node);
    },
    fd_renumber(from: N, to: N) {
      const h = handle(from);
      const old = handle(to);
      if (h === old) return;
      if (old.node) files.release(old.node);
      open[to] = h;
      open[from] = undefined;
    },
    fd_fdstat_get(fd: N, at: N) {
      const h = handle(fd);
      bytes(at, 24).fill(0);
      view().setUint8(at, !h.node ? kind.stream : h.node.dir ? kind.folder : kind.file);
      view().setUint16(at + 2, h.flags, true);
      // A stream with all rights is no terminal to libc.
      let rights = rightsAll;
      if (!h.read) rights -= rightRead;
      if (!h.write) rights -= rightWrite;
      put64(at + 8, h.node?.dir ? rightsAll : rights);
      if (h.node?.dir) put64(at + 16, rightsAll);
    },
    fd_fdstat_set_flags(fd: N, flags: N) {
      const h = handle(fd);
      if (flags > 31) refuse(errno.inval);
      h.flags = flags;
    },
    fd_filestat_get: (fd: N, at: N) => putStat(at, handle(fd).node),
    fd_filestat_set_size(fd: N, size: bigint) {
      const h = file(fd);
      if (!h.write) refuse(errno.inval);
      check(files.resize(h.node, Number(size)));
    },
    fd_prestat_get(fd: N, at: N) {
      if (handle(fd).node !== files.root || fd !== 3) refuse(errno.badF);
      put32(at, 0);
      put32(at + 4, 1); // the length of its name
    },
    fd_prestat_dir_name(fd: N, at: N, size: N) {
      if (handle(fd).node !== files.root || fd !== 3) refuse(errno.badF);
      if (size < 1) refuse(errno.nameTooLong);
      bytes(at, 1)[0] = 47; // "/"
    },
    fd_read(fd: N, at: N, count: N, got: N) {
      const h = handle(fd);
      if (!h.read) refuse(errno.badF);
      if (h.node) {
        const f = file(fd);
        const n = readAt(f, f.at, at, count);
        f.at += n;
        return put32(got, n);
      }
      const n = each(at, count, (part) => {
        const some = stdin.subarray(taken, taken + part.length);
        part.set(some);
        taken += some.length;
        return some.length;
      });
      put32(got, n);
    },
    fd_pread: (fd: N, at: N, count: N, offset: bigint, got: N) => put32(got, readAt(file(fd), Number(offset), at, count)),
    fd_write(fd: N, at: N, count: N, done: N) {
      const h = handle(fd);
      if (!h.write) refuse(errno.badF);
      let n: number;
      if (h.node) {
        const f = file(fd);
        if (f.flags & append) f.at = f.node.data.length;
        n = writeAt(f, f.at, at, count);
        f.at += n;
      } else {
        n = each(at, count, (part) => {
          output.write(fd === 2 ? 2 : 1, part);
          return part.length;
        });
      }
      put32(done, n);
    },
    fd_pwrite: (fd: N, at: N, count: N, offset: bigint, done: N) => put32(done, writeAt(file(fd), Number(offset), at, count)),
    fd_seek(fd: N, offset: bigint, whence: N, to: N) {
      const h = handle(fd);
      if (!h.node) refuse(errno.sPipe);
      if (h.node?.dir) refuse(errno.badF);
      if (whence > 2) refuse(errno.inval);
      const base = whence === 0 ? 0 : whence === 1 ? h.at : (h.node?.data.length ?? 0);
      const next = base + Number(offset);
      if (next < 0) refuse(errno.inval);
      h.at = next;
      put64(to, BigInt(next));
    },
    fd_tell: (fd: N, to: N) => put64(to, BigInt(file(fd).at)),
    fd_readdir(fd: N, at: N, size: N, cookie: bigint, used: N) {
      const h = handle(fd);
      if (!h.node?.dir) refuse(errno.notDir);
      if (cookie === none || !h.list) h.list = files.list(h.node as Node);
      const into = bytes(at, size);
      let filled = 0;
      for (let i = Number(cookie); i < h.list.length && filled < size; i++) {
        const [name, node] = h.list[i] as [string, Node];
        const letters = new TextEncoder().encode(name);
        const entry = new Uint8Array(24 + letters.length);
        const v = new DataView(entry.buffer);
        v.setBigUint64(0, BigInt(i + 1), true);
        v.setBigUint64(8, BigInt(node.inode), true);
        v.setUint32(16, letters.length, true);
        v.setUint8(20, node.dir ? kind.folder : kind.file);
        entry.set(letters, 24);
        // An entry that is cut off tells the caller to come again.
        const fits = entry.subarray(0, size - filled);
        into.set(fits, filled);
        filled += fits.length;
      }
      put32(used, filled);
    },

    path_open(fd: N, _follow: N, at: N, size: N, how: N, rights: bigint, _inherit: bigint, flags: N, opened: N) {
      const place = find(fd, at, size);
      const write = (rights & rightWrite) !== none;
      let free = 0;
      while (free < maxOpen && open[free]) free++;
      if (flags > 31) refuse(errno.inval);
      if (free === maxOpen) refuse(errno.mFile);
      let { node } = place;
      if (!node) {
        if (!(how & create)) refuse(errno.noEnt);
        if (place.folder || how & folder) refuse(errno.inval);
        const made = files.add(place, false);
        node = typeof made === 'number' ? refuse(made) : made;
      } else {
        if (how & create && how & exclusive) refuse(errno.exist);
        if (!node.dir && how & folder) refuse(errno.notDir);
        if (node.dir && (write || how & create) && !(how & folder)) refuse(errno.isDir);
      }
      if (how & truncate && write && !node.dir) check(files.resize(node, 0));
      node.open++;
      open[free] = { node, at: 0, flags, read: (rights & rightRead) !== none || !!node.dir, write: write && !node.dir };
      put32(opened, free);
    },
    path_filestat_get: (fd: N, _follow: N, at: N, size: N, stat: N) => putStat(stat, existing(fd, at, size).node),
    path_filestat_set_times: (fd: N, _follow: N, at: N, size: N) => void existing(fd, at, size),
    path_readlink(fd: N, at: N, size: N) {
      existing(fd, at, size);
      refuse(errno.inval); // there are no links
    },
    path_link: refused(errno.notSup),
    path_symlink: refused(errno.notSup),
    path_create_directory(fd: N, at: N, size: N) {
      const place = find(fd, at, size);
      if (place.node) refuse(errno.exist);
      const made = files.add(place, true);
      if (typeof made === 'number') refuse(made);
    },
    path_remove_directory(fd: N, at: N, size: N) {
      const place = existing(fd, at, size);
      if (!place.node.dir) refuse(errno.notDir);
      if (!place.in) refuse(errno.busy);
      if (place.node.dir?.size) refuse(errno.notEmpty);
      files.remove(place);
    },
    path_unlink_file(fd: N, at: N, size: N) {
      const place = existing(fd, at, size);
      if (place.node.dir) refuse(errno.isDir);
      files.remove(place);
    },
    path_rename: (fd: N, at: N, size: N, toFd: N, toAt: N, toSize: N) => check(files.move(find(fd, at, size), find(toFd, toAt, toSize))),
    sock_accept: noSocket,
    sock_recv: noSocket,
    sock_send: noSocket,
    sock_shutdown: noSocket,
  };

  const imports: Record<string, Call> = {};
  for (const [name, call] of Object.entries(calls)) {
    imports[name] = (...args) => {
      try {
        const fault = call(...args);
        return typeof fault === 'number' ? fault : 0;
      } catch (cause) {
        if (cause instanceof Fault) return cause.errno;
        throw cause;
      }
    };
  }
  return { files, imports, bind: (of) => void (memory = of) };
}
