// Pages out of a bundle's documents, byte for byte as api/web/render.go makes them of the same version. testdata/pages.json,
// which a test over there writes, holds both to it. The service worker may weigh little: what can be done before is in the shell.
import type { Digest, Edition, Entry as Listed, Item, Module, Named, Root } from '../offline/bundle/documents';
import { entities, escapeHTML, fill } from '../pages/fill';
import type { Entry, Shell } from './shell';

/** Opens a blob of this device as text. Undefined where it is not here. */
export type Open = (digest: Digest) => Promise<string | undefined>;

type Values = Record<string, string>;
type Texts = Record<string, Entry>;
interface Titled {
  title_lang?: string;
}
interface Option {
  text: string;
  lang?: string;
}
/** The public JSON of a quiz or a lab, as far as a page without scripts shows it. */
interface Data {
  questions?: { prompt: string; lang?: string; options?: Option[]; lefts?: Option[]; rights?: Option[] }[];
  entry?: string;
  starter?: Values;
  files?: Values;
  hints?: string[];
  checks?: { id: string; title: string; rule?: { call?: string } }[];
  langs?: Values;
}

const join = <T>(list: T[] | undefined, each: (one: T, at: number) => string) => (list ?? []).map(each).join('');

/** What shows pages in the shell's language. */
export function pages(shell: Shell, open: Open) {
  const { locale, parts, words, labels, patterns, style } = shell;
  const rtl = new RegExp(patterns.rtl);
  const part = (name: string, values: Values) => fill(parts[name] as string, values);
  const dir = (lang: string) => (rtl.test(lang) ? 'rtl' : 'ltr');
  /** What lang and dir say of a text, and nothing where it is in the page's language. */
  const tagged = (lang: string) => ` lang="${escapeHTML(lang)}" dir="${dir(lang)}"`;
  const spoken = (lang: string) => (lang === locale ? '' : tagged(lang));

  const number = (of: string, value: number, options?: Intl.NumberFormatOptions) =>
    new Intl.NumberFormat(shell.numbers[of], options).format(value);

  function say(from: Texts, of: string, key: string, args: Record<string, string | number>): string {
    const entry = from[key] as Entry;
    return (typeof entry === 'string' ? entry : (entry[new Intl.PluralRules(of).select(args['Count'] as number)] ?? (entry['other'] as string))).replace(
      /\{\{\.(\w+)\}\}/g,
      (_, name: string) => {
        const value = args[name] ?? '';
        return typeof value === 'string' ? value : number(of, value);
      },
    );
  }
  const t = (key: string, args = {}) => say(words, locale, key, args);
  const list = (names: string[] = []) => (names.length ? names.reduce((List, Next) => t('page.list', { List, Next })) : '');

  async function read<T>(named: Named | undefined): Promise<T | undefined> {
    const text = named && (await open(named.digest));
    return text ? (JSON.parse(text) as T) : undefined;
  }

  const modulesOf = (edition: Edition) => Promise.all(edition.modules.map((named) => read<Module>(named)));
  const itemsOf = (modules: (Module | undefined)[]) => modules.flatMap((module) => module?.items ?? []);

  /** The cards of courses. One that is not here in the reader's language leads to one in which it is. */
  async function cards(roots: Root[]): Promise<string> {
    const found = await Promise.all(
      roots.map(async (root) => {
        const speaks = root.editions[locale] ? locale : root.source_locale;
        for (const own of [speaks, ...Object.keys(root.editions)]) {
          const edition = await read<Edition>(root.editions[own]);
          if (!edition) continue;
          const items = itemsOf(await modulesOf(edition));
          const { title, summary = '', minutes, title_lang: lang = own, summary_lang = own } = edition;
          const count = (kind: string, key: string) => t(key, { Count: items.filter((item) => item.kind === kind).length });
          return part('catalogue-item', {
            title,
            summary,
            summary_spoken: summary_lang === lang ? '' : tagged(summary_lang),
            href: `/${own === speaks ? locale : own}/courses/${root.course}`,
            minutes: t('page.minutes', { Count: minutes }),
            lessons: count('lesson', 'page.lessons'),
            quizzes: count('quiz', 'page.quizzes'),
            labs: count('lab', 'page.labs'),
            locale: lang,
            dir: dir(lang),
          });
        }
        return '';
      }),
    );
    return found.join('') || `<li>${escapeHTML(t('page.offline.none'))}</li>`;
  }

  /** A page of no course: app, catalogue, offline or portal. */
  async function plain(kind: string, roots: Root[], values: Values = {}): Promise<string> {
    return fill(shell.pages[kind] as string, { style, items: await cards(roots), ...values });
  }

  /** A course's own page, or one of its items. Undefined where it is not here. */
  async function course(root: Root, pinned: boolean, id = ''): Promise<string | undefined> {
    const edition = await read<Edition>(root.editions[locale] ?? root.editions[root.source_locale]);
    if (!edition) return undefined;
    const modules = await modulesOf(edition);
    const items = itemsOf(modules);
    const own = edition.locale;
    const titled = (of: Titled) => spoken(of.title_lang ?? own);
    const at = root.course + (pinned ? `@${root.number}` : '');
    const here = `/${locale}/courses/${at}`;
    const tail = root.course + (id && `/${id}`);
    const page = (kind: string, values: Values) =>
      fill(shell.pages[kind] as string, {
        style,
        at: at + (id && `/${id}`),
        tail,
        course: root.course,
        version: `${root.number}`,
        alternates: join(shell.alternates, (one) => (root.editions[one.locale] ? fill(one.part, { tail }) : '')),
        ...values,
      });
    /** A part for an item of the course. */
    const item = (name: string, of: Listed | undefined, values: Values = {}) =>
      of ? part(name, { id: of.id, kind: of.kind, href: `${here}/${of.id}`, title: of.title, spoken: titled(of), ...values }) : '';
    const named = (ids: string[] = []) =>
      shell.frameworks.map((framework) => ({
        part: framework.part,
        names: framework.competences.filter((one) => ids.includes(one.id)).map((one) => one.part),
      }));
    const { title, summary = '', summary_lang = own } = edition;

    if (!id) {
      const aims = join(named(edition.competences ?? edition.achievement.competences), ({ part, names }) => (names.length ? fill(part, { competences: list(names) }) : ''));
      return page('course', {
        title,
        summary,
        summary_spoken: spoken(summary_lang),
        about: summary,
        spoken: titled(edition),
        minutes: t('page.minutes', { Count: edition.minutes }),
        licence: root.licence ?? '',
        authors: list(root.authors),
        competences: aims && part('competences', { frameworks: aims }),
        modules: join(edition.modules, (module, i) =>
          part('module', {
            title: module.title,
            spoken: titled(module),
            items: join(modules[i]?.items, (of) =>
              item('item', of, {
                kind_label: t(`page.kind.${of.kind}`) + (of.weight ? ` · ${t('page.kilobytes', { Size: Math.ceil(of.weight / 1000) })}` : ''),
              }),
            ),
          }),
        ),
      });
    }

    const place = items.findIndex((one) => one.id === id);
    const listed = items[place];
    const document = await read<Item>(listed);
    if (!listed || !document) return undefined;
    const texts: Values = {};
    let lang = own;
    for (const piece of document.blobs) {
      if (piece.role === 'media') continue;
      const text = await open(piece.digest);
      if (!text) return undefined;
      texts[piece.role] = text;
      lang = piece.lang ?? own;
    }

    const { fresh = 0, stale = 0, missing = 0, state = '' } = (own === locale && document.translation) || {};
    const done = fresh + stale;
    const notes = { none: !done, mixed: done && missing, stale, draft: done && state === 'draft' };
    // The source needs no note, and a version of old has none.
    const silent = own === locale && !document.translation;
    const said = Object.entries(notes).flatMap(([key, on]) => (on && !silent ? escapeHTML(t(`page.translation.${key}`)) : []));
    const serves = list([...new Set(named(document.competences).flatMap(({ names }) => names))]);

    const values: Values = {
      title: listed.title,
      spoken: titled(listed),
      item: id,
      course_title: title,
      course_href: here,
      course_spoken: titled(edition),
      about: summary,
      position: t('page.position', { Number: place + 1, Total: items.length }),
      previous: item('prev', items[place - 1]),
      next: item('next', items[place + 1]),
      translation: said.length ? `<p class="translation">${said.join(' ')}</p>` : '',
      competences: serves && part('serves', { competences: serves }),
    };

    const text = texts['fragment'];
    if (text) {
      const other = new RegExp(patterns.other).exec(text)?.[1];
      const out = labelled(text, other ?? lang);
      const fragment = other || lang === locale ? out : `<div${tagged(lang)}>\n${out}</div>`;
      values['fragment'] = fragment.trim();
      if (listed.kind === 'lesson') values['about'] = firstParagraph(fragment) || summary;
    }
    let json = texts['data'];
    if (json) {
      const { questions, entry = '', starter = {}, files, hints, checks, langs: told = {} } = JSON.parse(json) as Data;
      // Texts say their language only where it is not the data's.
      const says = (text: string | undefined) => spoken(text || lang);
      if (lang !== locale) json = `{"spoken":"${lang}",${json.slice(1)}`;
      values['data'] = json.replace(/[<>&\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
      values['questions'] = join(questions, ({ prompt, lang, options = [], lefts = [], rights = [] }, i) =>
        part('question', {
          number: `${i + 1}`,
          prompt,
          spoken: says(lang),
          options: join([...options, ...lefts, ...rights], ({ text, lang }) => part('option', { text, spoken: says(lang) })),
        }),
      );
      values['starter'] = starter[entry] ?? '';
      values['checks'] = join(checks, ({ id, title, rule }) => part('check', { title, call: rule?.call ?? '', spoken: says(told[`check.${id}.title`]) }));
      values['files'] = join(Object.entries({ ...starter, ...files }).sort(), ([name, text]) => (name === entry ? '' : part('lab-file', { name, text })));
      values['hints'] = join(hints, (text, i) => part('lab-hint', { label: t('page.lab.hint', { Number: i + 1 }), text, spoken: says(told[`hint.${i + 1}`]) }));
    }
    return page(listed.kind, values);
  }

  /** Writes the words that a fragment leaves to its page, in the language of the text around them where the catalogue has it. */
  function labelled(fragment: string, lang: string): string {
    const own = labels[lang] ? lang : locale;
    const foreign = own === lang ? '' : tagged(own);
    const word = (key: string, args = {}) => say(labels[own] as Texts, own, key, args);
    return fragment
      .replace(new RegExp(patterns.recording, 'g'), (_, seconds: number, bytes: number) => {
        const mega = bytes >= 999_500;
        const decimals = +(mega || bytes < 9_950);
        const Size = number(own, bytes / (mega ? 1e6 : 1e3), { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
        const Lasts = word('date.clock', { Minutes: (seconds / 60) | 0, Seconds: number(own, seconds % 60, { minimumIntegerDigits: 2 }) });
        return `<p class="size"${foreign}>${escapeHTML(word('page.recording', { Lasts, Size: word(mega ? 'page.megabytes' : 'page.kilobytes', { Size }) }))}</p>`;
      })
      .replace(new RegExp(patterns.block, 'g'), (_, start: string, tag: string, key: string, title = '') => {
        const label = (of: string) => `<${of} class="block-label"${/ lang=/.test(title) ? tagged(own) : foreign}>${escapeHTML(word(key))}</${of}>`;
        return start + (title ? `${title}${label('span')} ` : tag === 'figure' ? `<figcaption>${label('span')}</figcaption>\n` : `${label('p')}\n`);
      });
  }

  return { plain, course };
}

/** The words that a lesson begins with. */
function firstParagraph(fragment: string): string {
  const [, found = ''] = /<p>([^]*?)<\/p>/.exec(fragment) ?? [];
  return found
    .replace(/<[^>]*>/g, '')
    .replace(/&[#\w]+;/g, (entity) => Object.keys(entities).find((sign) => entities[sign] === entity) ?? entity)
    .trim()
    .replace(/\s+/g, ' ')
    // Nothing in it ends a line any more.
    .replace(/^(.{160}).+/u, (_, cut: string) => `${cut.replace(/(.) [^ ]*$/, '$1')} …`);
}
