// A program of one spec's own, which may be stopped, restored from a backup and given new versions of a course.
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Program } from './device.ts';
import { demo } from './program.ts';

const courses = join(import.meta.dirname, '../../content/courses');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export class School extends Program {
  private readonly backup = `${this.dataDir}-backup`;

  static async open(): Promise<School> {
    const school = new School(await freePort());
    await school.start();
    return school;
  }

  /** Keeps a copy of all that it has, as of now. */
  async save(): Promise<void> {
    await this.stop();
    rmSync(this.backup, { recursive: true, force: true });
    cpSync(this.dataDir, this.backup, { recursive: true });
    await this.start();
  }

  /** Goes back to the copy: what came since is forgotten. */
  async restore(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
    cpSync(this.backup, this.dataDir, { recursive: true });
    await this.start();
  }

  async close(): Promise<void> {
    await this.stop();
    for (const folder of [this.dataDir, this.backup]) rmSync(folder, { recursive: true, force: true });
  }

  /** Publishes a shipped course anew, with a sentence changed. Gives the number of the version. */
  async publish(course: string, file: string, from: string, to: string): Promise<number> {
    const { username, password } = demo('trainer', this.dataDir);
    const signedIn = await this.call('/api/sessions', 'application/json', JSON.stringify({ username, password }));
    const cookie = signedIn.headers.getSetCookie().map((one) => one.split(';', 1)[0]).join('; ');
    const me = (await (await fetch(`${this.url}/api/me`, { headers: { cookie } })).json()) as { memberships: { institution_id: string }[] };
    const folder = join(courses, course);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(folder, path)).isFile()).sort();
    const zip = stored(files.map((path) => {
      const bytes = readFileSync(join(folder, path));
      if (path !== file) return { path, bytes };
      const text = bytes.toString('utf8');
      if (!text.includes(from)) throw new Error(`${path} does not say: ${from}`);
      return { path, bytes: Buffer.from(text.replace(from, to)) };
    }));
    const published = await this.call(`/api/institutions/${me.memberships[0]?.institution_id ?? ''}/course-versions`, 'application/zip', zip, cookie);
    return ((await published.json()) as { number: number }).number;
  }

  private async call(path: string, type: string, body: string | Buffer<ArrayBuffer>, cookie = ''): Promise<Response> {
    const answer = await fetch(this.url + path, { method: 'POST', headers: { 'Content-Type': type, cookie }, body });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}

/** A zip whose files are not compressed. */
function stored(files: readonly { path: string; bytes: Buffer }[]): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, bytes } of files) {
    const name = Buffer.from(path);
    // Version, flags (names are UTF-8), method, time, date, checksum, both sizes, lengths of name and extra: APPNOTE 4.3.7.
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(0x0800, 2);
    head.writeUInt16LE(0x21, 8);
    head.writeUInt32LE(crc32(bytes), 10);
    head.writeUInt32LE(bytes.length, 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), head, name, bytes]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), head, tail, name]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end]);
}
