// What a person would see to be wrong on a screen: text that is cut, and text in a language that nobody announced.
import type { Page } from '@playwright/test';

/** The boxes whose text does not fit, and `page` when the whole page scrolls sideways. */
export function clipped(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found = new Set<string>();
    const say = (what: string, text: string) => found.add(`${what}: ${text.replace(/\s+/g, ' ').trim().slice(0, 60)}`);
    const name = (e: Element) => `${e.tagName.toLowerCase()}${e.className && typeof e.className === 'string' ? `.${e.className.trim().split(/\s+/).join('.')}` : ''}`;
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) say('page', `${wide}px too wide`);
    // Text may leave its box to be scrolled to, and what only a screen reader meets has no size.
    const excused = (e: Element): boolean => {
      for (let at: Element | null = e; at && at !== document.body; at = at.parentElement) {
        const { overflowX, position, clip } = getComputedStyle(at);
        if (overflowX === 'auto' || overflowX === 'scroll' || (position === 'absolute' && clip !== 'auto')) return true;
        // The way to the next item is one line on a phone, and so is who is signed in; where they lead has all of it.
        if (at.matches('.skip, .unseen, svg, textarea, .step-title, .person')) return true;
      }
      return false;
    };
    for (const e of Array.from(document.body.querySelectorAll<HTMLElement>('*'))) {
      if (!e.getClientRects().length || excused(e)) continue;
      const { overflowX, textOverflow } = getComputedStyle(e);
      const hides = overflowX === 'hidden' || overflowX === 'clip' || textOverflow === 'ellipsis';
      if (hides && e.scrollWidth > e.clientWidth + 1 && e.textContent?.trim()) say(name(e), e.textContent);
      if (e instanceof HTMLSelectElement || (e instanceof HTMLInputElement && e.type === 'text' && e.value === '' && !e.placeholder)) continue;
      for (const node of Array.from(e.childNodes)) {
        if (node.nodeType !== Node.TEXT_NODE || !node.nodeValue?.trim()) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        // The nearest box that has edges of its own; an inline one only wraps words.
        let box: HTMLElement = e;
        while (getComputedStyle(box).display.startsWith('inline') && getComputedStyle(box).display === 'inline' && box.parentElement) box = box.parentElement;
        const edge = box.getBoundingClientRect();
        for (const line of Array.from(range.getClientRects())) {
          if (line.left < edge.left - 1.5 || line.right > edge.right + 1.5) {
            say(name(box), node.nodeValue);
            break;
          }
        }
      }
    }
    return Array.from(found);
  });
}

interface Piece {
  where: string;
  text: string;
  /** Pieces of one paragraph, heading or the like have the same. */
  block: number;
}

/** What people read or hear on the screen in the language of the page; what is marked as another language, code and typed text is left out. */
export function spoken(page: Page): Promise<Piece[]> {
  return page.evaluate(() => {
    const root = document.documentElement;
    // .data and .chart hold what a program of the learner's wrote.
    const out: Piece[] = [];
    const other = (e: Element) => {
      const marked = e.closest('[lang]');
      return (marked !== null && marked !== root && marked.getAttribute('lang') !== root.lang) || e.closest('code, pre, kbd, script, style, noscript, template, textarea, [translate="no"], .brand, [data-language], .data, .chart') !== null;
    };
    const blocks: Element[] = [];
    const blockOf = (e: Element): number => {
      let at = e;
      while (at.parentElement && getComputedStyle(at).display === 'inline') at = at.parentElement;
      const known = blocks.indexOf(at);
      return known < 0 ? blocks.push(at) - 1 : known;
    };
    const seen = (e: Element) => e.getClientRects().length > 0 || e.closest('.unseen, .skip, option') !== null;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const e = node.parentElement as Element;
      const text = (node.nodeValue ?? '').trim();
      if (text && !other(e) && seen(e)) out.push({ where: e.tagName.toLowerCase(), text, block: blockOf(e) });
    }
    for (const attribute of ['aria-label', 'title', 'placeholder', 'alt']) {
      for (const e of Array.from(document.body.querySelectorAll(`[${attribute}]`))) {
        const text = (e.getAttribute(attribute) ?? '').trim();
        if (text && !other(e) && seen(e)) out.push({ where: `${e.tagName.toLowerCase()} ${attribute}`, text, block: blocks.push(e) - 1 });
      }
    }
    return out;
  });
}

// Names that are written with Latin letters in every language.
// So are the people, the school and the course of this test; a certificate keeps the title that it was given.
const names = /\b(StopNCII\.org|Take It Down|Layla Haddad|Oasis|First steps|Chen Wei|amina|yusuf|AI in daily life|English|français|português|Kiswahili|español|Banyan|Python|AI|CC[ -]BY-SA[ -]4\.0|Rosa Quispe|contributors|Apache-2\.0|JavaScript|JSON|JWT|PNG|SVG|URL|USB|PDF|CSV|UTC|ZIP|KB|MB|kB|cm|[\w.-]+\.(zip|py|csv|txt|json)|Amina Diallo|Yusuf Karimi|Zola Mbeki|zola|River College|Mirembe Okello|mirembe|did:web:[\w.%:-]+|DID|Demo [\w ]+|Banyan [\w ]+|Chrome|Linux|Mozilla)\b/g;

/** The pieces in Latin letters of a page in another script: English where nobody marked it. */
export async function foreign(page: Page, locale: string): Promise<string[]> {
  const script = locale.startsWith('ar') ? /\p{Script=Arabic}/u : /\p{Script=Han}/u;
  return (await spoken(page))
    .filter(({ text }) => !script.test(text) && /\p{Script=Latin}{3}/u.test(text.replace(names, '')))
    .map(({ where, text }) => `${where}: ${text.slice(0, 80)}`);
}
