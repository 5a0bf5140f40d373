// Learners' code in the page: the same answers as the grader's, and no way out of the frame. The runner's own API is
// called in a page of the real program, with its frame, its policies and its packs.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, type Browser, type Page } from '@playwright/test';
import type { Order, PackID } from '../src/features/lab/run/index.ts';
import type { Lab } from '../src/features/lab/lab.ts';
import { uuidv7 } from './learner.ts';
import { bundleProbe } from './runner/build.ts';
import { programs, shippedPrograms } from './runner/labs.ts';
import type { Probe } from './runner/probe.ts';
import { words } from './words.ts';

const t = words('en');
const course = 'ai-in-daily-life';
const someLab = 'nearest-leaf';
const messages = ['syntax', 'error', 'exit', 'timeout', 'flood', 'memory', 'no_result'] as const;

let code = '';
test.beforeAll(async () => {
  code = await bundleProbe();
});
test.beforeEach(({ baseURL }, info) => {
  test.skip(!baseURL || info.project.name !== 'embedded', 'the page is the same in both shapes');
});

/** A page of the program with the probe in it. */
async function open(page: Page, at = '/en/'): Promise<void> {
  await page.route('**/probe.js', (route) => route.fulfill({ contentType: 'text/javascript', body: code }));
  await page.goto(at);
  await page.addScriptTag({ url: '/probe.js' });
}

type Probed = { probe: Probe };
const run = (page: Page, pack: PackID, order: Order) => page.evaluate(([id, what]) => (globalThis as unknown as Probed).probe.run(id as PackID, what as Order), [pack, order] as const);
const offered = async (page: Page) => (await page.evaluate(() => (globalThis as unknown as Probed).probe.packs())).map(({ id }) => id);
const python = (page: Page, pack: PackID, lines: string | string[], more: Partial<Order> = {}) =>
  run(page, pack, { entry: 'main.py', files: { 'main.py': [lines].flat().join('\n') }, ...more });

interface Verdict {
  outcome: string;
  message?: string;
  traceback?: string;
  output?: string;
  runtime: string;
  checks: { id: string; passed: boolean; score?: number; got?: string; expected?: string; error?: string; says?: string }[];
}

/** A learner whose hand-ins the program grades. */
class Grader {
  private enrollments = new Map<string, string>();
  constructor(
    private readonly page: Page,
    private readonly origin: string,
  ) {}

  private async call<T>(method: string, path: string, data?: unknown): Promise<T> {
    for (;;) {
      const answer = await this.page.request.fetch(path, { method, data, headers: { Origin: this.origin, 'Accept-Language': 'en' } });
      if (answer.status() === 429) await this.page.waitForTimeout(1000 * Number(answer.headers()['retry-after'] ?? 1));
      else if (answer.ok()) return (await answer.json()) as T;
      else throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
    }
  }

  signUp = (username: string) => this.call('POST', '/api/users', { username, display_name: 'Ada', password: 'a long password' });

  async grade(course_id: string, lab_id: string, files: Record<string, string>): Promise<Verdict> {
    if (!this.enrollments.has(course_id)) this.enrollments.set(course_id, (await this.call<{ id: string }>('POST', '/api/enrollments', { course_id })).id);
    const id = uuidv7();
    await this.call('POST', '/api/submissions', { id, enrollment_id: this.enrollments.get(course_id), lab_id, files });
    for (;;) {
      const { verdict } = await this.call<{ verdict?: Verdict }>('GET', `/api/submissions/${id}?wait=20`);
      if (verdict) return verdict;
    }
  }
}

async function labOf(page: Page, of: string, id: string): Promise<Lab> {
  const html = await (await page.request.get(`/en/courses/${of}/${id}`)).text();
  return JSON.parse(/id="item-data">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? 'null') as Lab;
}

function orderOf(lab: Lab, source: string): Order {
  return { entry: lab.entry, files: { ...lab.starter, ...lab.files, [lab.entry]: source }, checks: lab.checks, limits: lab.limits, seed: lab.seed, clock: lab.clock } as Order;
}

/** The kind of message behind the words of a verdict. */
const kindOf = (message: string | undefined) => (message ? messages.find((kind) => t(`lab.message.${kind}`) === message) ?? message : undefined);

/**
 * Where Brython tells something else than CPython in these programs. What it prints is then not compared, nor its traceback;
 * the message's kind always is.
 */
const lightDiffers: Record<string, string> = {
  'no Python': 'the parser blames the open bracket, not the colon',
  'a syntax error inside a text': 'the parser blames the open bracket, not the text',
  'unpacking too much': 'Brython is 3.14, which also tells how many there were',
  'time as a structure': 'its fields have other names',
};

test.describe('parity', () => {
  let page: Page;
  let grader: Grader;
  let packs: PackID[];

  test.beforeAll(async ({ browser, baseURL }: { browser: Browser; baseURL?: string }, info) => {
    if (info.project.name !== 'embedded') return;
    page = await (await browser.newContext({ baseURL, locale: 'en' })).newPage();
    await open(page);
    packs = await offered(page);
    grader = new Grader(page, baseURL as string);
    await grader.signUp(`parity-${Date.now()}`);
  });
  test.afterAll(() => page?.context().close());

  test('the exact pack is offered where the program grades with it', async () => {
    const { runtime } = await grader.grade(course, someLab, { 'main.py': 'print(1)' });
    const list = await page.evaluate(() => (globalThis as unknown as Probed).probe.packs());
    const exact = list.find(({ id }) => id === 'exact');
    test.skip(!exact, 'this program grades with the portable runtime');
    expect(exact?.digest).toBe(runtime);
  });

  for (const { course: of, lab: id, name, source } of shippedPrograms()) {
    test(`${of} ${id} ${name}`, async () => {
      test.setTimeout(180_000);
      const lab = await labOf(page, of, id);
      const verdict = await grader.grade(of, id, { [lab.entry]: source });
      const visible = new Set(lab.checks.filter(({ rule }) => rule).map((check) => check.id));
      const wanted = verdict.checks.filter((check) => visible.has(check.id));
      for (const pack of packs) {
        const result = await run(page, pack, orderOf(lab, source));
        expect(result.message, `${pack}: ${result.traceback} ${result.detail}`).toBe(kindOf(verdict.message));
        expect(result.checks.map(({ id, passed, score }) => ({ id, passed, score })), pack).toEqual(wanted.map(({ id, passed, score }) => ({ id, passed, score: score ?? Number(passed) })));
        if (pack === 'light') continue;
        expect(result.output).toBe(verdict.output ?? '');
        expect(result.traceback).toBe(verdict.traceback ?? '');
        for (const [i, check] of result.checks.entries()) {
          const { got, expected, says } = wanted[i] ?? {};
          expect({ got: check.got || undefined, expected: check.expected, says: check.says }).toEqual({ got: got || undefined, expected, says });
        }
      }
    });
  }

  for (const [name, source] of Object.entries(programs)) {
    test(`a program with ${name}`, async () => {
      test.setTimeout(180_000);
      const lab = await labOf(page, course, someLab);
      const verdict = await grader.grade(course, someLab, { [lab.entry]: source });
      for (const pack of packs) {
        const result = await run(page, pack, orderOf(lab, source));
        expect(result.message, `${pack}: ${result.traceback} ${result.detail}`).toBe(kindOf(verdict.message));
        expect(result.heard).toBe(result.output);
        if (pack === 'light' && lightDiffers[name]) continue;
        expect(result.output, pack).toBe(verdict.output ?? '');
        expect(result.traceback, pack).toBe(verdict.traceback ?? '');
      }
    });
  }

  test('known differences are still there', async () => {
    test.setTimeout(180_000);
    const lab = await labOf(page, course, someLab);
    for (const name of Object.keys(lightDiffers)) {
      const source = programs[name] as string;
      const verdict = await grader.grade(course, someLab, { [lab.entry]: source });
      const light = await run(page, 'light', orderOf(lab, source));
      expect([light.output, light.traceback], name).not.toEqual([verdict.output ?? '', verdict.traceback ?? '']);
    }
  });
});

test.describe('containment', () => {
  let page: Page;
  let packs: PackID[];
  /** What left the browser while learners' code ran; a request that the policy refuses ends before. */
  let left: string[];
  let failures: string[];
  /** A server that learners' code tries to reach. */
  let outside: Server;
  let there = '';

  test.beforeAll(async ({ browser, baseURL }: { browser: Browser; baseURL?: string }, info) => {
    if (info.project.name !== 'embedded') return;
    const context = await browser.newContext({ baseURL, locale: 'en' });
    page = await context.newPage();
    left = [];
    failures = [];
    outside = createServer((request, reply) => {
      left.push(`reached: ${request.url}`);
      reply.setHeader('Access-Control-Allow-Origin', '*').end('1');
    });
    outside.on('connection', () => left.push('connected'));
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    there = `127.0.0.1:${(outside.address() as AddressInfo).port}`;
    await open(page);
    packs = await offered(page);
    for (const pack of packs) await page.evaluate((id) => (globalThis as unknown as Probed).probe.load(id), pack);
    await page.evaluate(() => {
      document.cookie = 'secret=of-the-page';
      localStorage.setItem('secret', 'of the page');
    });
    const local = (url: string) => /^(blob|data):/.test(url);
    context.on('requestfinished', (request) => local(request.url()) || left.push(request.url()));
    context.on('requestfailed', (request) => local(request.url()) || request.failure()?.errorText === 'csp' || left.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on('websocket', (socket) => socket.on('framesent', () => left.push(socket.url())));
    page.on('pageerror', (error) => failures.push(error.message));
  });
  test.afterEach(() => {
    if (!page) return;
    expect(left).toEqual([]);
    expect(failures).toEqual([]);
  });
  test.afterAll(async () => {
    await page?.context().close();
    outside?.close();
  });

  // The light pack's Python reaches JavaScript, so this is JavaScript at its worst in the worker.
  const script = (source: string) => python(page, 'light', ['from browser import self as w', `print(w.eval(${JSON.stringify(source)}))`]);
  const refused = (call: string) => `(()=>{try{${call};return "done"}catch(e){return "refused"}})()`;

  test('the network is out of reach', async () => {
    const tries = [
      'fetch("/api/me")',
      `fetch("http://${there}/?secret")`,
      `navigator.sendBeacon && navigator.sendBeacon("http://${there}/", "x")`,
      `(()=>{const x=new XMLHttpRequest();x.open("GET","http://${there}/",false);x.send()})()`,
      `new WebSocket("ws://${there}/")`,
      `new EventSource("http://${there}/")`,
      `importScripts("http://${there}/")`,
      'importScripts(URL.createObjectURL(new Blob(["self.loaded=1"])))',
      `import("http://${there}/")`,
      `typeof WebTransport==="function" && new WebTransport("https://${there}/")`,
      `new Worker("http://${there}/")`,
      `new Worker(URL.createObjectURL(new Blob(["fetch('http://${there}/nested');try{importScripts('http://${there}/nested')}catch(e){}"])))`,
      `typeof FontFace==="function" && new FontFace("x","url(http://${there}/x.woff2)").load()`,
    ];
    for (const one of tries) {
      const result = await script(refused(one));
      expect(result.message, `${one}: ${result.traceback}`).toBeUndefined();
    }
    // What was only asked for has had time to go.
    await page.waitForTimeout(1000);
    failures.length = 0; // promises of the worker's that were refused and that nobody caught
  });

  test('what a promise would fetch is refused too', async () => {
    const result = await python(page, 'light', [
      'from browser import self as w',
      `w.eval("self.answers=[];for(const at of ['/api/me','http://${there}/','data:text/plain,x'])fetch(at).then(()=>answers.push(at),()=>0)")`,
      // The worker ends with the program, so the program waits: a quarter of a second of real time.
      'w.eval("(()=>{const t=performance.now();while(performance.now()-t<250);})()")',
      'print(w.eval("String(self.answers)"))',
    ]);
    expect(result.output).toBe('\n');
    failures.length = 0;
  });

  test('storage, cookies and the page are out of reach', async () => {
    for (const [what, call] of Object.entries({
      localStorage: 'localStorage.getItem("secret")',
      sessionStorage: 'sessionStorage.length',
      cookies: 'document.cookie.length',
      parent: 'parent.document.title.length',
      top: 'top.location.href.length',
      opener: 'opener.document.title.length',
      alert: 'alert(1)',
    })) {
      expect((await script(refused(call))).output.trim(), what).toBe('refused');
    }
    const origin = await script('String(self.origin)');
    expect(origin.output.trim()).toBe('null');
    const kept = await script(refused('const r=indexedDB.open("banyan");if(!r)throw 1'));
    expect(kept.output.trim()).toBe('refused');
    const caches = await script('typeof self.caches');
    expect(['undefined', 'object']).toContain(caches.output.trim());
  });

  test('the frame itself has no origin, no storage, and no way to lead the page elsewhere', async () => {
    const frame = page.frames().find((one) => one.url().endsWith('/lab/frame'));
    if (!frame) throw new Error('no frame');
    const seen = await frame.evaluate(() => {
      const attempt = (call: () => unknown) => {
        try {
          call();
          return 'done';
        } catch (cause) {
          return (cause as Error).name;
        }
      };
      return {
        origin: self.origin,
        cookie: attempt(() => document.cookie),
        storage: attempt(() => localStorage.length),
        page: attempt(() => (parent as Window).document.title),
        top: attempt(() => ((top as Window).location.href = 'https://example.org/')),
        window: attempt(() => window.open('https://example.org/')?.closed),
        popup: window.open('https://example.org/') === null,
      };
    });
    expect(seen).toMatchObject({ origin: 'null', cookie: 'SecurityError', storage: 'SecurityError', page: 'SecurityError', popup: true });
    expect(page.url()).toMatch(/\/en\/$/);
    const answer = await page.request.get('/lab/frame');
    const policy = answer.headers()['content-security-policy'] ?? '';
    expect(policy).toContain('sandbox allow-scripts;');
    expect(policy).toContain("connect-src 'none'");
    expect(policy).not.toContain('allow-same-origin');
    left.length = 0; // the top navigation is refused before it is asked for; what the test asks for itself does not count
  });

  for (const pack of ['exact', 'light'] as const) {
    test(`${pack}: a loop without end is stopped by time, and by hand`, async () => {
      test.skip(!packs.includes(pack), 'not offered');
      test.setTimeout(120_000);
      const byTime = await python(page, pack, ['print("begun")', 'while True: pass'], { limits: { wall_seconds: 1 } });
      expect(byTime.message).toBe('timeout');
      const ticks = page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            let n = 0;
            const timer = setInterval(() => n++, 20);
            setTimeout(() => {
              clearInterval(timer);
              resolve(n);
            }, 1000);
          }),
      );
      const byHand = python(page, pack, 'while True: pass', { limits: { wall_seconds: 30 } });
      // The page goes on while the code spins.
      expect(await ticks).toBeGreaterThan(5);
      await page.evaluate((id) => (globalThis as unknown as Probed).probe.stop(id), pack);
      expect((await byHand).message).toBe('stopped');
      expect((await python(page, pack, 'print("fresh")')).output).toBe('fresh\n');
    });

    test(`${pack}: a flood is cut off, and what came before is shown`, async () => {
      test.skip(!packs.includes(pack), 'not offered');
      test.setTimeout(120_000);
      const result = await python(page, pack, 'while True: print("x" * 100)', { limits: { output_kib: 8 } });
      expect(result.message).toBe('flood');
      expect(result.output.length).toBeGreaterThan(4 << 10);
      expect(result.output.length).toBeLessThan(64 << 10);
      const errors = await python(page, pack, ['import sys', 'while True: sys.stderr.write("x" * 1000)'], { limits: { output_kib: 8 } });
      expect(errors.message).toBe('flood');
    });

    test(`${pack}: a memory bomb ends, and the next run is well`, async () => {
      test.skip(!packs.includes(pack), 'not offered');
      test.setTimeout(180_000);
      const result = await python(page, pack, ['a = []', 'while True: a.append(bytearray(1000000))'], { limits: { wall_seconds: 10 } });
      expect(['memory', 'error', 'timeout', 'broken', 'no_result']).toContain(result.message);
      if (pack === 'exact') expect(result.message).toBe('memory');
      expect((await python(page, pack, 'print("well")')).output).toBe('well\n');
    });

    test(`${pack}: files and folders stay within their limits`, async () => {
      test.skip(!packs.includes(pack), 'not offered');
      const result = await python(
        page,
        pack,
        ['n = 0', 'try:', '    for i in range(100):', '        with open("f%d" % i, "w") as f: f.write("x" * 1000)', '        n += 1', 'except OSError as e:', '    print(n, type(e).__name__)'],
        { limits: { files: 5, file_kib: 64 } },
      );
      expect(result.output).toBe('5 OSError\n');
      expect(Object.keys(result.files)).toHaveLength(5);
    });

    test(`${pack}: files that were left open are written`, async () => {
      test.skip(!packs.includes(pack), 'not offered');
      const result = await python(page, pack, ['f = open("a.csv", "w")', 'f.write("crop,bags")', 'g = open("b.csv", "wb")', 'g.write(b"maize,4")']);
      const texts = Object.fromEntries(Object.entries(result.files).map(([name, data]) => [name, String.fromCharCode(...Object.values(data))]));
      expect([result.message, texts]).toEqual([undefined, { 'a.csv': 'crop,bags', 'b.csv': 'maize,4' }]);
    });

    test(`${pack}: a program that ends the interpreter gives no result`, async () => {
      test.skip(!packs.includes(pack), 'not offered');
      const result = await python(page, pack, ['import posix', 'print("bye", flush=True)', 'posix._exit(0)']);
      expect(result.message).toBe('no_result');
      expect(result.output).toBe('bye\n');
    });
  }

  test('a worker that floods the frame with messages is ended, and nothing of its own outlives it', async () => {
    test.setTimeout(120_000);
    const flood = await python(page, 'light', ['from browser import self as w', 'w.eval("for(;;)self.postMessage({is:\\"out\\",fd:1,data:new ArrayBuffer(1)})")'], {
      limits: { wall_seconds: 5, output_kib: 8 },
    });
    expect(['flood', 'timeout']).toContain(flood.message);
    // A worker of the worker, that would go on for ever.
    await python(page, 'light', ['from browser import self as w', 'w.eval("self.child=new Worker(URL.createObjectURL(new Blob([\\"for(;;);\\"])))")']);
    const frame = page.frames().find((one) => one.url().endsWith('/lab/frame'));
    await expect.poll(() => page.workers().length, { timeout: 20_000 }).toBeLessThanOrEqual(packs.length);
    expect(frame).toBeTruthy();
  });

  test('forged words of the worker are only words', async () => {
    const result = await python(page, 'light', [
      'from browser import self as w',
      'w.eval("self.postMessage({is:\\"end\\",end:\\"exited\\",files:{x:1,y:\\"<b>\\"},why:{},lacks:[]})")',
      'while True: pass',
    ]);
    expect(result.message).toBe('broken');
    expect(result.files).toEqual({});
  });

  test('a module that only the exact pack has is named', async () => {
    const result = await python(page, 'light', 'import argparse');
    expect([result.message, result.lacks]).toEqual(['needs_exact', 'argparse']);
    const none = await python(page, 'light', 'import nosuchmodule');
    expect(none.message).toBe('error');
    expect(none.traceback).toContain("ModuleNotFoundError: No module named 'nosuchmodule'");
  });
});

test('a pack is kept on the device, and runs without a network', async ({ page, context }) => {
  test.setTimeout(120_000);
  await open(page);
  await python(page, 'light', 'print(1)');
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  await page.evaluate(() => (globalThis as unknown as Probed).probe.close('light'));
  await page.route('**/packs/**', (route) => route.abort());
  await page.route('**/packs.json', (route) => route.abort());
  expect((await python(page, 'light', 'print(2)')).output).toBe('2\n');
  expect(fetched.filter((path) => path.startsWith('/packs/'))).toEqual([]);
  await context.close();
});
