// A course whose author means harm: every text that the format lets through, in the source, in translations and in labels of
// drawings. It is read as its learners would read it, and nothing of it runs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { shapes } from './shapes.ts';

const payloads = [
  '<script>window.harmed=1</script>',
  '"><img src=x onerror=window.harmed=1>',
  "'-window.harmed-' {{constructor.constructor('window.harmed=1')()}} ${window.harmed=1}",
  '</title></style></textarea><svg onload=window.harmed=1>',
];
const [script = '', image = '', template = '', closing = ''] = payloads;
// In Markdown the signs are escaped: bare HTML would be refused, which other tests show.
const md = (text: string) => text.replace(/[\\<>[\]{}$'"`*_]/g, '\\$&');
const yaml = (text: string) => JSON.stringify(text);
const po = (id: string, source: string, text: string) => `\nmsgctxt ${JSON.stringify(id)}\nmsgid ${JSON.stringify(source)}\nmsgstr ${JSON.stringify(text)}\n`;

const paragraph = `Words before ${md(script)} and ${md(image)} and after.`;
const files: Record<string, string> = {
  'course.yaml': `id: hostile-course
title: ${yaml(script)}
summary: ${yaml(image)}
source_locale: en
locales: [en, ar]
licence: CC-BY-SA-4.0
authors: [${yaml(closing)}]
minutes: 10
modules:
  - id: hostile-module
    title: ${yaml(template)}
    items: [{lesson: hostile-lesson}, {quiz: hostile-quiz}]
criteria: {lessons: all, quizzes: 0, labs: none}
achievement: {name: ${yaml(script)}, description: ${yaml(image)}, narrative: ${yaml(closing)}}
`,
  'lessons/hostile-lesson.md': `# ${md(script)} {#hostile1}

${paragraph} {#hostile2}

\`${image}\` {#hostile3}

\`\`\`text
${closing}
\`\`\`
{#hostile4}

::: figure harm.svg {#hostile5}
:alt: ${image} and more words that tell the picture
:::

::: reveal ${md(template)} {#hostile6}
${md(closing)} {#hostile7}
:::
`,
  'media.yaml': 'files:\n  - {file: harm.svg, licence: CC-BY-SA-4.0, source: Drawn for this test in 2026, author: Banyan contributors, mirror: true}\n',
  'media/harm.svg': '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 120"><rect width="360" height="120" fill="#ffffff"/><text id="label" x="20" y="60" font-size="16" fill="#1b2a33">&lt;script&gt;window.harmed=1&lt;/script&gt;</text></svg>\n',
  'quizzes/hostile-quiz.yaml': `title: ${yaml(image)}
graded: false
questions:
  - id: which-one
    type: single
    prompt: ${yaml(script)}
    options:
      - {id: first-one, text: ${yaml(template)}, correct: true, feedback: ${yaml(closing)}}
      - {id: second-one, text: ${yaml(image)}, feedback: ${yaml(script)}}
`,
  'locales/ar/course.po': 'msgid ""\nmsgstr "Language: ar\\nContent-Type: text/plain; charset=UTF-8\\n"\n' + po('course.title', script, closing) + po('media.harm.svg.label', '<script>window.harmed=1</script>', '</text><script>window.harmed=1</script>'),
  'locales/ar/hostile-module.po':
    'msgid ""\nmsgstr "Language: ar\\nContent-Type: text/plain; charset=UTF-8\\n"\n' + po('hostile2', paragraph, md(`${closing} ${image}`)) + po('quiz.hostile-quiz.which-one.prompt', script, `${closing}${script}`),
};

test.beforeAll(() => {
  const shape = shapes.find(({ url }) => url === test.info().project.use.baseURL);
  const folder = mkdtempSync(join(tmpdir(), 'banyan-hostile-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const published = spawnSync('../bin/banyan-api', ['content', 'publish', '--institution', 'banyan-demo', folder], {
    env: { ...process.env, ...shape?.env, BANYAN_RUNTIME_DIR: '../build/runtime' },
    encoding: 'utf8',
  });
  expect(published.stderr + published.stdout).toContain('hostile-course');
  expect(published.status, published.stderr).toBe(0);
});

for (const locale of ['en', 'ar']) {
  test(`nothing of a hostile course runs, in ${locale}`, async ({ page, baseURL }) => {
    const strangers: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(baseURL as string) && !request.url().startsWith('data:') && !request.url().startsWith('blob:')) strangers.push(request.url());
    });
    page.on('dialog', (dialog) => {
      strangers.push(dialog.message());
      void dialog.dismiss();
    });
    const course = `/${locale}/courses/hostile-course`;
    for (const path of [`/${locale}/`, course, `${course}/hostile-lesson`, `${course}/hostile-quiz`]) {
      const reply = await page.goto(path);
      expect(reply?.status(), path).toBe(200);
      expect(reply?.headers()['content-security-policy'], path).toContain("script-src 'self'");
      await page.waitForLoadState('networkidle');
      // What an author wrote stands there as words.
      await expect(page.locator('body'), path).toContainText('window.harmed=1');
      expect(await page.evaluate(() => (window as { harmed?: number }).harmed), path).toBeUndefined();
      expect(await page.locator('[onerror], [onload], main script:not([type="application/json"]), main img:not([src^="/media/"])').count(), path).toBe(0);
    }
    // A drawing opened by itself is no page to run in either.
    await page.goto(`${course}/hostile-lesson`);
    const source = await page.locator('main img').first().getAttribute('src');
    const drawing = await page.goto(source as string);
    expect(drawing?.status()).toBe(200);
    expect(drawing?.headers()['content-security-policy']).toContain('sandbox');
    expect(await page.evaluate(() => (window as { harmed?: number }).harmed)).toBeUndefined();
    expect(strangers).toEqual([]);
  });
}
