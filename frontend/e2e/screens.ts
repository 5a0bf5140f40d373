// Every screen and the way to it, for those who look at all of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { courseID, wrong } from './course.ts';
import { Learner, uuidv7 } from './learner.ts';
import { demo, program } from './program.ts';

const people = { amina: 'Amina Diallo', yusuf: 'Yusuf Karimi' };
const others = ['zola'];
const password = 'a long password';
let credential = '';
let recognition = '';

const course = (locale: string) => `/${locale}/courses/${courseID}`;

type State = Awaited<ReturnType<BrowserContext['storageState']>>;
const signedIn = new Map<string, State>();

/** A new page of somebody's, in a browser that was never here before. Each signs in once; a password takes its time. */
export async function as(browser: Browser, who: string, options: object): Promise<Page> {
  const context = await browser.newContext({ baseURL: program.url, storageState: signedIn.get(who), ...options });
  if (who && !signedIn.has(who)) {
    await new Learner(context.request).signIn(who, who in people || others.includes(who) ? password : demo(who).password);
    signedIn.set(who, await context.storageState());
  }
  return context.newPage();
}

/** Two learners: amina has her certificate, yusuf has begun. */
export async function prepare(browser: Browser): Promise<void> {
  for (const [username, name] of Object.entries(people)) {
    const context = await browser.newContext({ baseURL: program.url });
    const learner = new Learner(context.request);
    await learner.signUp(username, name, password).catch(() => learner.signIn(username, password));
    const enrollment = await learner.enrol();
    if (username === 'amina') {
      const mine = await learner.call<{ items: { id: string }[] }>('GET', '/api/credentials');
      if (!mine.items.length) await learner.complete(enrollment);
      for (let i = 0; i < 20 && !credential; i++) {
        const { items } = await learner.call<{ items: { id: string }[] }>('GET', '/api/credentials');
        credential = items[0]?.id ?? '';
        if (!credential) await new Promise((resolve) => setTimeout(resolve, 500));
      }
    } else {
      await learner.note(enrollment, 'completed', 'what-ai-is');
      await learner.handIn(enrollment, 'nearest-leaf', wrong('nearest-leaf'));
    }
    await context.close();
  }
  expect(credential).not.toBe('');
  await prepareRecognition(browser);
  await prepareAward(browser);
}

/** Another institution on the server recognises the course, and the demo school recognises one of elsewhere. */
async function prepareRecognition(browser: Browser): Promise<void> {
  const desk = await browser.newContext({ baseURL: program.url });
  const operator = new Learner(desk.request);
  await operator.signIn('operator', demo('operator').password);
  const institutions = await operator.call<{ items: { id: string; slug: string }[] }>('GET', '/api/institutions');
  let river = institutions.items.find(({ slug }) => slug === 'river')?.id;
  if (!river) {
    river = (await operator.call<{ id: string }>('POST', '/api/institutions', { slug: 'river', name: 'River College' })).id;
    await operator.call('POST', `/api/institutions/${river}/members`, { username: 'mirembe', display_name: 'Mirembe Okello', password, role: 'admin' });
  }
  const { items, address } = await operator.call<{ items: { did: string }[]; address: string }>('GET', '/api/issuers');
  const demoDid = items.find(({ did }) => !did.includes('river'))?.did;
  const given = await operator.call<{ items: { id: string }[] }>('GET', `/api/recognitions?by=${river}`);
  await desk.close();
  recognition = given.items[0]?.id ?? '';
  if (recognition) return;
  const as = { en: 'Module 1 of the teaching diploma', ar: 'الوحدة الأولى من دبلوم التدريس', zh: '教学文凭第一单元' };
  const scope = { en: 'Two credits', ar: 'وحدتان معتمدتان', zh: '两个学分' };
  const conditions = { en: 'Issued since 2025', ar: 'مُنحت منذ 2025', zh: '2025 年起签发' };
  const valid_until = new Date(Date.now() + 366 * 86_400_000).toISOString();
  for (const [who, secret, of_did, of_achievement] of [
    ['mirembe', password, demoDid, `${address}/en/courses/${courseID}`],
    ['issuer', demo('issuer').password, 'did:web:river.example', 'https://river.example/en/courses/first-steps'],
  ] as const) {
    const context = await browser.newContext({ baseURL: program.url });
    const admin = new Learner(context.request);
    await admin.signIn(who, secret);
    const me = await admin.call<{ memberships: { institution_id: string }[] }>('GET', '/api/me');
    const body = { id: uuidv7(), of_did, of_achievement, of_name: 'AI in daily life', as, scope, conditions, valid_until };
    recognition = (await admin.call<{ id: string }>('POST', `/api/institutions/${me.memberships[0]?.institution_id}/recognitions`, body)).id;
    await context.close();
  }
}

/** From now on the institution asks for more; zola has finished, and her certificate waits for all of it. */
async function prepareAward(browser: Browser): Promise<void> {
  const staff = await browser.newContext({ baseURL: program.url });
  const issuer = new Learner(staff.request);
  await issuer.signIn('issuer', demo('issuer').password);
  const me = await issuer.call<{ memberships: { institution_id: string }[] }>('GET', '/api/me');
  const terms = { items: [], min_score: 0.5, approval: true, confirm_name: true, ask_help: true, assessment: 'supervised', months: 24, competences: [] };
  await issuer.call('PUT', `/api/institutions/${me.memberships[0]?.institution_id}/criteria/${courseID}`, terms);
  await staff.close();
  const context = await browser.newContext({ baseURL: program.url });
  const learner = new Learner(context.request);
  await learner.signUp('zola', 'Zola Mbeki', password).catch(() => learner.signIn('zola', password));
  const waiting = () => learner.call<{ items: unknown[] }>('GET', '/api/awards').then(({ items }) => items.length);
  if (!(await waiting())) await learner.complete(await learner.enrol());
  await expect.poll(waiting, { timeout: 20_000 }).toBe(1);
  await context.close();
}

export interface Screen {
  name: string;
  who: string;
  path: (locale: string) => string;
  act?: (page: Page) => Promise<void>;
}

async function tab(page: Page, name: string): Promise<void> {
  await page.locator(`.tabs.inner a[href$="/${name}"]`).click();
  await page.waitForTimeout(300);
}

/** The certificate that amina has, checked on the device. */
async function report(page: Page): Promise<void> {
  const code = await (await page.request.get(`/api/credentials/${credential}/code.txt`)).text();
  await page.locator('.verify-ready p').first().waitFor();
  await page.locator('textarea').fill(code);
  await page.locator('form button[type=submit]').click();
  await page.locator('.standing').waitFor();
}

/** A certificate of a server that nobody here knows. */
function strange(): string {
  const vectors = join(import.meta.dirname, '../../internal/credential/code/testdata/airplane.json');
  const all = JSON.parse(readFileSync(vectors, 'utf8')) as { name: string; text: string }[];
  return all.find((one) => one.name === 'a document')?.text ?? '';
}

const shipped = (path: string) => (locale: string) => `/${locale}/courses/${path}`;

const own = async (page: Page): Promise<void> => {
  await page.locator('.tabs:not(.inner) a').nth(2).click();
  await page.locator('.rows li, .empty').first().waitFor();
};

/** A tab of the demo school's console, and what is done in it. */
const ofSchool = (name: string, kind: string, act: (page: Page) => Promise<void>): Screen => ({
  name,
  who: 'issuer',
  path: () => '/app/',
  act: async (page) => {
    await own(page);
    await tab(page, kind);
    await act(page);
  },
});

/** A certificate of elsewhere is given to the wallet. */
async function takeIn(page: Page, text: string): Promise<void> {
  const elsewhere = page.locator('section[aria-labelledby=elsewhere]');
  await elsewhere.locator('summary').last().click();
  await page.locator('#import-text').fill(text);
  await elsewhere.locator('> details button[type=submit]').click();
}

export const screens: Screen[] = [
  { name: 'catalogue', who: '', path: (locale) => `/${locale}/` },
  { name: 'course-open', who: '', path: course },
  { name: 'course', who: 'yusuf', path: course },
  { name: 'course-to-come', who: 'zola', path: course, act: (page) => page.locator('.notice ul li').first().waitFor() },
  { name: 'lesson-open', who: '', path: (locale) => `${course(locale)}/what-ai-is` },
  { name: 'lesson', who: 'yusuf', path: (locale) => `${course(locale)}/learning-from-examples` },
  { name: 'quiz', who: 'yusuf', path: (locale) => `${course(locale)}/first-look` },
  {
    name: 'quiz-missing',
    who: 'yusuf',
    path: (locale) => `${course(locale)}/first-look`,
    act: (page) => page.locator('button[type=submit]').click(),
  },
  { name: 'quiz-marked', who: 'yusuf', path: (locale) => `${course(locale)}/first-look`, act: answerAll },
  { name: 'quiz-graded-open', who: '', path: (locale) => `${course(locale)}/what-you-know` },
  { name: 'lab', who: 'yusuf', path: (locale) => `${course(locale)}/nearest-leaf`, act: (page) => page.locator('.verdict').waitFor() },
  { name: 'lab-open', who: '', path: (locale) => `${course(locale)}/nearest-leaf`, act: hints },
  { name: 'lab-packs', who: '', path: (locale) => `${course(locale)}/nearest-leaf`, act: (page) => run(page, 'print(1)') },
  { name: 'lab-run', who: 'yusuf', path: (locale) => `${course(locale)}/nearest-leaf`, act: draw },
  { name: 'lab-error', who: 'yusuf', path: (locale) => `${course(locale)}/nearest-leaf`, act: stop },
  { name: 'verify-app', who: '', path: () => '/app/verify', act: (page) => page.locator('.verify-ready p').first().waitFor() },
  { name: 'verify-app-report', who: '', path: () => '/app/verify', act: report },
  { name: 'certificate-code', who: 'amina', path: () => '/app/certificates', act: (page) => page.locator('button[aria-expanded=false]').first().click().then(() => page.locator('canvas.qr-code').waitFor()) },
  {
    name: 'wallet',
    who: 'amina',
    path: () => '/app/certificates',
    act: async (page) => {
      // Taken in by the first look, and known to those that follow.
      await takeIn(page, strange());
      await page.locator('section[aria-labelledby=elsewhere] > details [role=status]').waitFor();
      await page.locator('.rows details.new summary').first().click();
      await page.locator('.rows details.new form button[type=submit]').first().waitFor();
    },
  },
  {
    name: 'wallet-print',
    who: 'amina',
    path: () => '/app/certificates',
    act: async (page) => {
      await page.request.post('/api/wallet/imports', { data: { text: strange() }, headers: { Origin: program.url } });
      await page.reload();
      const elsewhere = page.locator('section[aria-labelledby=elsewhere]');
      await elsewhere.locator('.rows button[aria-expanded=false]').first().click();
      await elsewhere.locator('.code-view .button').waitFor();
    },
  },
  { name: 'wallet-print-away', who: '', path: () => '/app/sign-in', act: printAway },
  {
    name: 'wallet-refused',
    who: 'yusuf',
    path: () => '/app/certificates',
    act: async (page) => {
      await takeIn(page, 'A certificate, really.');
      await page.locator('section[aria-labelledby=elsewhere] [role=alert]').waitFor();
    },
  },
  { name: 'verify-form', who: '', path: (locale) => `/${locale}/verify` },
  {
    name: 'verify-unknown',
    who: '',
    path: (locale) => `/${locale}/verify`,
    act: async (page) => {
      await page.locator('textarea').fill(strange());
      await page.locator('input[name=offline]').check();
      await page.locator('form.verify-form button').click();
      await page.locator('.standing').waitFor();
    },
  },
  { name: 'recognitions', who: '', path: (locale) => `/${locale}/recognitions` },
  { name: 'recognition', who: '', path: (locale) => `/${locale}/recognitions/${recognition}` },
  { name: 'verify-recognised', who: '', path: (locale) => `/${locale}/verify/${credential}` },
  { name: 'certificates-worth', who: 'amina', path: () => '/app/certificates', act: (page) => page.locator('.worth summary').first().click() },
  { name: 'sign-in', who: '', path: () => '/app/sign-in' },
  {
    name: 'sign-in-wrong',
    who: '',
    path: () => '/app/sign-in',
    act: async (page) => {
      await page.locator('input').first().fill('nobody');
      await page.locator('input').nth(1).fill('wrong password');
      await page.locator('form button[type=submit]').click();
      await page.locator('.notice.bad').waitFor();
    },
  },
  { name: 'device-whose', who: '', path: () => '/app/sign-in', act: (page) => arrive(page, 'own') },
  { name: 'device-who', who: '', path: () => '/app/sign-in', act: signedOut },
  {
    name: 'device-pin',
    who: '',
    path: () => '/app/sign-in',
    act: async (page) => {
      await signedOut(page);
      await page.locator('.tile').first().click();
      for (let i = 0; i < 4; i++) {
        await page.locator('input[type=password]').fill('0000');
        await page.locator('form button[type=submit]').click();
        await (i < 3 ? page.locator('.fault') : page.locator('.notice')).waitFor();
        await page.locator('button[type=submit][aria-disabled=true]').waitFor({ state: i < 3 ? 'detached' : 'attached' });
      }
    },
  },
  {
    name: 'device-account',
    who: '',
    path: () => '/app/sign-in',
    act: async (page) => {
      await known(page);
      await page.goto('/app/account');
      await page.locator('[aria-labelledby=devices] .rows li').first().waitFor();
      for (const summary of await page.locator('[aria-labelledby=this-device] summary').all()) await summary.click();
    },
  },
  {
    name: 'device-pin-change',
    who: '',
    path: () => '/app/sign-in',
    act: async (page) => {
      await known(page);
      await page.goto('/app/account');
      await page.locator('[aria-labelledby=this-device] summary').nth(1).waitFor();
      for (const form of [0, 1]) {
        await page.locator('[aria-labelledby=this-device] summary').nth(form).click();
        const here = page.locator('[aria-labelledby=this-device] form').nth(form);
        await here.locator('input[type=password]').first().fill('0000');
        for (const input of (await here.locator('input[type=password]').all()).slice(1)) await input.fill('1357');
        await here.locator('button[type=submit]').click();
        await here.locator('.fault').waitFor();
      }
      await page.locator('[aria-labelledby=devices] .rows li').first().waitFor();
    },
  },
  {
    name: 'account-erase',
    who: 'amina',
    path: () => '/app/account',
    act: async (page) => {
      const erase = page.locator('section[aria-labelledby=erase]');
      await erase.locator('summary').click();
      await erase.locator('input[type=password]').fill('not the password');
      await erase.locator('button[type=submit]').click();
      await erase.locator('[role=alert]').waitFor();
    },
  },
  { name: 'sign-up', who: '', path: () => '/app/sign-up' },
  { name: 'my-courses', who: 'yusuf', path: () => '/app/' },
  { name: 'my-courses-done', who: 'amina', path: () => '/app/' },
  { name: 'certificates', who: 'amina', path: () => '/app/certificates' },
  { name: 'certificate-to-come', who: 'zola', path: () => '/app/certificates', act: (page) => page.locator('#awards-to-come').waitFor() },
  {
    name: 'account',
    who: 'amina',
    path: () => '/app/account',
    act: async (page) => {
      await page.locator('.rows li').first().waitFor();
      await page.locator('details.new > summary').first().click();
    },
  },
  { name: 'console-learners', who: 'issuer', path: () => '/app/', act: own },
  ofSchool('console-publish', 'courses', async (page) => {
    const zip = { name: 'course.zip', mimeType: 'application/zip', buffer: Buffer.from('no zip at all') };
    await page.locator('input[type=file]').setInputFiles(zip);
    await page.locator('form button').click();
    await page.locator('.notice').waitFor();
  }),
  ofSchool('console-certificates', 'certificates', (page) => page.locator('.button.danger').first().click()),
  ofSchool('console-awards', 'awards', async (page) => {
    await page.locator('.wants').waitFor();
    await page.locator('.button.danger').first().click();
  }),
  ofSchool('console-criteria', 'criteria', async (page) => {
    await page.locator('.rows .button').first().click();
    await page.locator('.boxes label').nth(3).waitFor();
  }),
  ofSchool('console-issuers', 'issuers', (page) => page.locator('.form select').first().waitFor()),
  ofSchool('console-recognitions', 'recognitions', async (page) => {
    await page.locator('.rows li').first().waitFor();
    await page.locator('.form select').first().waitFor();
  }),
  ofSchool('console-members', 'members', async (page) => {
    await page.locator('.rows li').first().waitFor();
    await page.locator('.rows li details summary').first().click();
    await page.locator('.rows li details .empty, .rows li details .rows').first().waitFor();
  }),
  ofSchool('console-erase', 'members', async (page) => {
    await page.locator('.rows li').first().waitFor();
    await page.locator('.rows li').first().locator('details summary').nth(1).click();
    await page.locator('.rows li details form button').click();
    await page.locator('.rows li details [role=alert]').waitFor();
  }),
  ofSchool('console-labs', 'labs', (page) => page.locator('.empty').nth(1).waitFor()),
  ofSchool('console-languages', 'languages', (page) => page.locator('form textarea, form input').first().waitFor()),
  ofSchool('certificate-template', 'template', (page) => page.locator('.template img').waitFor()),
  ofSchool('console-profile', 'profile', async (page) => {
    await page.locator('form .people button').first().waitFor();
    await page.locator('form .people button').last().click();
    await page.locator('form .people .panel input').first().waitFor();
  }),
  ofSchool('console-keys', 'keys', async (page) => {
    await page.locator('.rows li .button.danger').first().click();
    await page.locator('.rows form input').first().waitFor();
  }),
  ofSchool('console-audit', 'audit', async (page) => {
    await page.locator('.rows li details summary').first().click();
    await page.locator('.rows li details .entry').first().waitFor();
  }),
  {
    // The institution beside the demo school claims a domain, and the operator may vouch for it.
    name: 'console-domain',
    who: 'operator',
    path: () => '/app/institutions',
    act: async (page) => {
      const { items } = (await (await page.request.get('/api/institutions')).json()) as { items: { id: string; slug: string }[] };
      const river = items.find(({ slug }) => slug === 'river')?.id;
      const headers = { Origin: program.url };
      await page.request.patch(`/api/institutions/${river}`, { data: { domain: 'river.example' }, headers });
      await page.goto(`/app/institutions/${river}/profile`);
      await page.locator('.vouch button').click();
      await page.locator('.vouch').scrollIntoViewIfNeeded();
    },
  },
  { name: 'institutions', who: 'operator', path: () => '/app/institutions' },
  { name: 'parked-jobs', who: 'operator', path: () => '/app/jobs', act: (page) => page.locator('.empty, .rows li').first().waitFor() },
  { name: 'verify', who: '', path: (locale) => `/${locale}/verify/${credential}` },
  // The courses that are shipped: every directive, a quiz in sections, data files in a lab.
  { name: 'shipped-course', who: '', path: shipped('ai-foundations') },
  { name: 'shipped-lesson', who: '', path: shipped('ai-foundations/what-ai-is') },
  { name: 'shipped-lesson-figures', who: '', path: shipped('ai-foundations/learning-from-examples') },
  { name: 'shipped-lesson-term', who: '', path: shipped('ai-foundations/next-word') },
  { name: 'shipped-safety', who: '', path: shipped('staying-safe/your-image-belongs-to-you') },
  { name: 'shipped-teaching', who: '', path: shipped('teaching-with-ai/planning-a-lesson') },
  { name: 'shipped-quiz', who: 'yusuf', path: shipped('ai-foundations/meeting-ai-practice') },
  { name: 'shipped-quiz-sections', who: '', path: shipped('ai-foundations/meeting-ai-check') },
  { name: 'shipped-lab', who: '', path: shipped('ai-foundations/clinic-triage') },
  { name: 'no-such-screen', who: 'yusuf', path: () => '/app/no/such/screen' },
  { name: 'problem', who: '', path: (locale) => `/${locale}/courses/no-such-course` },
];

/** Somebody signs in with the password on a device that does not know them, and says whose it is. */
async function arrive(page: Page, kind: 'own' | 'shared', who = 'yusuf'): Promise<void> {
  await page.locator('input').first().fill(who);
  await page.locator('input').nth(1).fill(password);
  await page.locator('form button[type=submit]').click();
  await page.locator('input[type=radio]').nth(kind === 'own' ? 0 : 1).check();
  await page.locator('input[type=password]').first().waitFor();
}

/** A shared phone knows them. */
async function known(page: Page, who = 'yusuf'): Promise<void> {
  await arrive(page, 'shared', who);
  // Every look at a screen is another device, and a learner has only so many.
  const headers = { Origin: program.url };
  const { items } = (await (await page.request.get('/api/devices')).json()) as { items: { id: string }[] };
  for (const { id } of items) await page.request.delete(`/api/devices/${id}`, { headers });
  for (const input of await page.locator('input[type=password]').all()) await input.fill('2468');
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/app\/?$/);
}

/** And they have signed out. */
async function signedOut(page: Page): Promise<void> {
  await known(page);
  await page.goto('/app/account');
  await page.locator('main > .button, #app > .button').first().click();
  await page.locator('.tile').first().waitFor();
}

/** A certificate is about to be printed on a device that knows its holder, without a network. */
async function printAway(page: Page): Promise<void> {
  await known(page, 'amina');
  await page.goto('/app/verify');
  await page.locator('.verify-ready button').click();
  await page.locator('.verify-ready button').waitFor({ state: 'detached' });
  await expect.poll(() => page.evaluate(() => !!navigator.serviceWorker.controller)).toBe(true);
  const own = page.locator('main .rows').first().locator('> li');
  // What a sync brings arrives in its own time.
  await expect(async () => {
    await page.context().setOffline(false);
    await page.goto('/app/certificates');
    await own.first().waitFor({ timeout: 5_000 });
    await page.context().setOffline(true);
    await page.reload();
    await own.locator('.code-view button[aria-expanded=false]').nth(1).click({ timeout: 5_000 });
    await own.locator('.code-view .boxes').waitFor({ timeout: 5_000 });
  }).toPass();
}

async function hints(page: Page): Promise<void> {
  await page.locator('.hints button').click();
  await page.locator('.hints button').click();
  await page.locator('.hints li').nth(1).waitFor();
}

async function run(page: Page, source: string): Promise<void> {
  await page.locator('#code').fill(source);
  await page.locator('button.run').click();
  await page.locator('.pack-choice').waitFor();
}

async function light(page: Page, source: string): Promise<void> {
  await run(page, source);
  await page.locator('.pack-choice input').first().check();
  await page.locator('.pack-choice button[type=submit]').click();
  await page.locator('.bench .notice:not(.busy)').first().waitFor();
}

const pictures = `import banyan
print("What the module draws:")
banyan.table([{"leaf": "maize", "length": 61, "sick": False}, {"leaf": "فول", "length": 8.25, "sick": None}], title="Leaves")
banyan.bar({"maize": 61, "bean": 8.25, "cassava of the north": 30}, title="Length", x_label="leaf", y_label="cm")
banyan.bar(["a", "b"], {"2025": [-3, 2], "2026": [1, 4]})
banyan.bar(range(40), [i * (40 - i) for i in range(40)], y_label="people")
banyan.line(range(30), {"training": [1 / (i + 1) for i in range(30)], "test": [0.2 + 1 / (i + 1) for i in range(30)]}, title="خطأ كل جولة", x_label="round")
banyan.scatter([1, 2, 3, 6, 7, 8], [0, 1, 2, 8, 6, 9], groups=["healthy"] * 3 + ["sick"] * 3, x_label="yellow", y_label="twisted")
banyan.confusion(["wait"] * 8 + ["urgent"] * 13, ["wait"] * 6 + ["urgent"] * 3 + ["wait"] + ["urgent"] * 11)
`;

async function draw(page: Page): Promise<void> {
  await page.locator('.history button').first().click();
  await light(page, pictures);
  await page.locator('.output .confusion').waitFor();
}

async function stop(page: Page): Promise<void> {
  await light(page, 'def half(n):\n    return n / 0\n\n\nprint(half(3))\n');
  await page.locator('.to-line').last().click();
}

async function answerAll(page: Page): Promise<void> {
  for (const group of await page.locator('.choices').all()) await group.locator('input').nth(2).check();
  for (const select of await page.locator('.match select').all()) await select.selectOption({ index: 1 });
  await page.locator('input.number').fill('٨٠');
  for (const input of await page.locator('input.text').all()) await input.fill('training');
  await page.locator('.move.down').first().click();
  await page.locator('button[type=submit]').click();
  await page.locator('.result .notice').waitFor();
}
