// Search in the courses on this device. Letters are compared as a reader means them: without case and accents, Arabic in one form. What
// is not written with spaces between words is found by any part of it.
import type { Edition, Item, Root } from './bundle/documents';
import { blob, list, modules, rootOf, spoken } from './bundle/library';

/** A lesson, quiz or lab in which all words of the question stand. */
export interface Hit {
  course: string;
  course_title: string;
  item: string;
  kind: 'lesson' | 'quiz' | 'lab';
  title: string;
  /** The language of the text. */
  locale: string;
  /** Where it stands: the words before, those that were found, the words after. Undefined where the title alone has them. */
  snippet?: [before: string, found: string, after: string];
}

/** What is searched of an item. */
export interface Searched extends Omit<Hit, 'snippet'> {
  text: string;
}

const ligatures: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ł: 'l', ı: 'i', ة: 'ه', ى: 'ي', ی: 'ي', ک: 'ك', ے: 'ي', ە: 'ه', ہ: 'ه', ٱ: 'ا' };
// Accents and Arabic vowel signs, the letter stretcher, and signs that say a direction. Signs of Indic scripts are vowels, and stay.
const marks = /[\u0300-\u036f\u0640\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u200b-\u200f\u202a-\u202e\u2066-\u2069\u00ad]/g;
const digits = /[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g;

/** A text in the one form in which texts are compared. */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(marks, '')
    .replace(/[ßæœøđłıةىیکےەہٱ]/g, (letter) => ligatures[letter] as string)
    .replace(digits, (digit) => String(valueOf(digit)))
    .replace(/[‘’ʼ]/g, "'");
}

function valueOf(digit: string): number {
  const code = digit.charCodeAt(0);
  return code - (code >= 0x966 ? 0x966 : code >= 0x6f0 ? 0x6f0 : 0x660);
}

/** Where a part of the folded text stands in the text itself: the places of its first sign and after its last. */
function unfold(text: string, from: number, to: number): [number, number] {
  let folded = 0;
  let start = -1;
  let at = 0;
  for (const sign of text) {
    const length = fold(sign).length;
    if (start < 0 && folded + length > from) start = at;
    // Accents after the last letter are part of it.
    if (folded >= to && length) break;
    folded += length;
    at += sign.length;
  }
  return [Math.max(0, start), at];
}

// Scripts that are read by words: in them a term is the beginning of a word. Arabic puts its article and "and" before.
const byWords = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}]/u;
const inWord = /[\p{L}\p{M}\p{N}]/u;

/** Where a folded term first stands in a folded text; -1 where nowhere. */
function find(text: string, term: string): number {
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
    if (!byWords.test(term) || at === 0 || !inWord.test(text[at - 1] as string)) return at;
  }
  return -1;
}

/** The words of a question, folded; no more than eight. */
export function terms(question: string): string[] {
  return fold(question.slice(0, 200))
    .split(/[^\p{L}\p{M}\p{N}']+/u)
    .filter((term) => term)
    .slice(0, 8);
}

const around = 60;

function snippetOf(text: string, from: number, to: number): Hit['snippet'] {
  const first = Math.max(0, from - around);
  const last = Math.min(text.length, to + around);
  // No half words, nor half signs of two units.
  const before = text.slice(first, from);
  const after = text.slice(to, last);
  const head = first > 0 ? `… ${before.includes(' ') ? before.replace(/^\S*\s/, '') : before.replace(/^[\udc00-\udfff]/, '')}` : before;
  const tail = last < text.length ? `${after.includes(' ') ? after.replace(/\s\S*$/, '') : after.replace(/[\ud800-\udbff]$/, '')} …` : after;
  return [head, text.slice(from, to), tail];
}

/** What can be searched, in memory; let go of it when the search is left. */
export class Index {
  private readonly folded: { title: string; text: string }[];

  constructor(private readonly items: readonly Searched[]) {
    this.folded = items.map(({ title, text }) => ({ title: fold(title), text: fold(text) }));
  }

  /** The items in which all words stand: first those that have them in the title, then in course order. */
  find(question: string, limit = 50): Hit[] {
    const wanted = terms(question);
    if (!wanted.length) return [];
    const titled: Hit[] = [];
    const others: Hit[] = [];
    for (let i = 0; i < this.items.length && titled.length < limit; i++) {
      const { text, ...item } = this.items[i] as Searched;
      const folded = this.folded[i] as { title: string; text: string };
      const places = wanted.map((term) => find(folded.text, term));
      const inTitle = wanted.map((term) => find(folded.title, term) >= 0);
      if (!wanted.every((_, n) => inTitle[n] || (places[n] as number) >= 0)) continue;
      const into = inTitle.every((yes) => yes) ? titled : others;
      if (into.length >= limit) continue;
      const n = places.findIndex((place) => place >= 0);
      if (n < 0) {
        into.push(item);
        continue;
      }
      const place = places[n] as number;
      const [from, to] = unfold(text, place, place + (wanted[n] as string).length);
      into.push({ ...item, snippet: snippetOf(text, from, to) });
    }
    return [...titled, ...others].slice(0, limit);
  }
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#34': '"', '#39': "'", nbsp: ' ' };

/** The words of a compiled fragment. */
export function wordsOf(html: string): string {
  return html
    .replace(/<\/?(a|abbr|b|bdi|bdo|cite|code|dfn|em|i|kbd|mark|q|s|small|span|strong|sub|sup|u|var)\b[^>]*>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&([#\w]+);/g, (all, name: string) => entities[name] ?? all)
    .replace(/\s+/g, ' ')
    .trim();
}

interface Option {
  text?: string;
}
interface Quiz {
  questions?: { prompt?: string; options?: Option[]; lefts?: Option[]; rights?: Option[] }[];
}

/** The prompts and options of a quiz, as its public JSON has them. */
export function promptsOf(json: string): string {
  const { questions = [] } = JSON.parse(json) as Quiz;
  return questions
    .flatMap(({ prompt, options = [], lefts = [], rights = [] }) => [prompt, ...[...options, ...lefts, ...rights].map(({ text }) => text)])
    .filter((text) => text)
    .join(' · ');
}

async function textOf(digest: string): Promise<string | undefined> {
  const bytes = await blob(digest);
  return bytes && new TextDecoder().decode(bytes);
}

async function searched(root: Root, locale: string): Promise<Searched[]> {
  const speaks = [spoken(root, locale), ...Object.keys(root.editions)];
  for (const own of speaks) {
    const text = root.editions[own] && (await textOf(root.editions[own].digest));
    if (!text) continue;
    const edition = JSON.parse(text) as Edition;
    const found: Searched[] = [];
    for (const { id, kind, title, digest } of (await modules(edition)).flatMap((module) => module?.items ?? [])) {
      const document = await textOf(digest);
      const pieces = document ? (JSON.parse(document) as Item).blobs : [];
      const piece = pieces.find(({ role }) => role === (kind === 'quiz' ? 'data' : 'fragment'));
      const body = piece && (await textOf(piece.digest));
      // What is not here cannot be opened either.
      if (!body) continue;
      found.push({ course: root.course, course_title: edition.title, item: id, kind, title, locale: own, text: kind === 'quiz' ? promptsOf(body) : wordsOf(body) });
    }
    return found;
  }
  return [];
}

/** Reads the courses on this device for a search, each in the reader's language or else in one in which it is here. */
export async function openIndex(locale: string): Promise<Index> {
  const all: Searched[] = [];
  for (const { installed } of await list()) if (installed) all.push(...(await searched(rootOf(installed), locale)));
  return new Index(all);
}
