import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Root } from './bundle/documents';
import { disk } from './db';
import { fold, Index, openIndex, promptsOf, terms, wordsOf, type Searched } from './search';

const item = (id: string, title: string, text: string): Searched => ({ course: 'c', course_title: 'C', item: id, kind: 'lesson', title, locale: 'en', text });
const find = (text: string, question: string) => new Index([item('one', 'Title', text)]).find(question)[0]?.snippet?.join('|');

describe('fold', () => {
  it.each([
    ['Café ÉCOLE', 'cafe ecole'],
    ['Straße Œuvre', 'strasse oeuvre'],
    ['Ёлка й', 'елка и'],
    ['أَحْمَد إلى آلة', 'احمد الي اله'],
    ['مدرســة', 'مدرسه'],
    ['الذَّكاءُ ٱلاصطناعيّ', 'الذكاء الاصطناعي'],
    ['٣٤ ۵ ०९', '34 5 09'],
    ['ＡＩ', 'ai'],
    ['शिक्षा', 'शिक्षा'],
    ["l’IA", "l'ia"],
    ['\u2068AI\u2069', 'ai'],
  ])('%s', (text, want) => expect(fold(text)).toBe(fold(want)));
  it('keeps the vowels of Indic scripts', () => expect(fold('की')).not.toBe(fold('क')));
});

describe('search', () => {
  it.each([
    ['A machine learns from examples.', 'LEARN', 'A machine |learn|s from examples.'],
    ['La máquina aprende.', 'maquina', 'La |máquina| aprende.'],
    ['La maquina aprende.', 'máquina', 'La |maquina| aprende.'],
    ['تعلُّم الذَّكاءِ الاصطناعي', 'ذكاء', 'تعلُّم ال|ذَّكاءِ| الاصطناعي'],
    ['机器从例子中学习。', '学习', '机器从例子中|学习|。'],
    ['Машина учится на примерах.', 'уч', 'Машина |уч|ится на примерах.'],
    ['मशीन उदाहरणों से सीखती है।', 'सीखती', 'मशीन उदाहरणों से |सीखती| है।'],
    ['A 🙂 machine', 'machine', 'A 🙂 |machine|'],
    ['ﬁne print', 'fine', '|ﬁne| print'],
  ])('%s: %s', (text, question, want) => expect(find(text, question)).toBe(want));

  it('begins words at their beginning where words have one', () => {
    expect(find('An elearning course', 'learn')).toBeUndefined();
    expect(find('elearning, learning', 'learn')).toBe('elearning, |learn|ing');
  });

  it('wants all words, in the title or the text, and puts titles first', () => {
    const index = new Index([item('a', 'Data', 'Fair models.'), item('b', 'Models', 'Data that is fair.'), item('c', 'Fair models', 'Nothing.'), item('d', 'Other', 'Fair.')]);
    expect(index.find('fair models').map((hit) => hit.item)).toEqual(['c', 'a', 'b']);
    expect(index.find('fair models')[0]?.snippet).toBeUndefined();
    expect(index.find('fair models', 2)).toHaveLength(2);
    expect(index.find('  …  ')).toEqual([]);
  });

  it('cuts a long text at words', () => {
    const words = 'word '.repeat(60);
    const [before, found, after] = new Index([item('a', 'T', `${words}needle ${words}`)]).find('needle')[0]?.snippet ?? ['', '', ''];
    expect(found).toBe('needle');
    expect(before).toMatch(/^… (word )+$/);
    expect(after).toMatch(/^( word)+ …$/);
    expect(before.length).toBeLessThan(70);
  });

  it('takes no more of a question than it needs', () => expect(terms('a b c d e f g h i j')).toHaveLength(8));
});

describe('texts', () => {
  it('reads the words of a fragment', () =>
    expect(wordsOf('<h2>One</h2>\n<p>ma<em>chi</em>ne &lt;x&gt; &amp;amp; <code>a b</code></p><ul><li>x</li><li>y</li></ul>')).toBe('One machine <x> &amp; a b x y'));
  it('reads prompts and options', () =>
    expect(promptsOf('{"questions":[{"prompt":"P","options":[{"text":"O"}]},{"prompt":"Q","lefts":[{"text":"L"}],"rights":[{"text":"R"}]}]}')).toBe('P · O · Q · L · R'));
});

it('searches what is on this device', async () => {
  const { root, blobs } = JSON.parse(readFileSync(join(__dirname, '../sw/testdata/pages.json'), 'utf8')) as { root: Root; blobs: Record<string, string> };
  expect((await openIndex('ar')).find('x')).toEqual([]);
  for (const [digest, text] of Object.entries(blobs)) {
    const { buffer } = new Uint8Array(new TextEncoder().encode(text));
    await disk.put('blobs', { digest, bytes: buffer, size: buffer.byteLength });
  }
  await disk.put('bundles', { course: root.course, publisher: 'x', rule: {}, installed: { root: `${JSON.stringify(root)}\n[]\n`, digest: 'x', number: 1, signed_at: '', complete: true } });
  const index = await openIndex('ar');
  expect(index.find('كلمات بسيطه').map(({ item, locale, kind }) => [item, locale, kind])).toEqual([['first', 'ar', 'lesson']]);
  const english = await openIndex('hi');
  expect(english.find('plain words').map(({ item, locale }) => [item, locale])).toContainEqual(['first', 'en']);
});
