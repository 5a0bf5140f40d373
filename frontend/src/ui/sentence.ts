import type { ComponentChild } from 'preact';
import { t, type Args } from '../i18n/words';

/** The words of a key with elements in the place of some arguments. */
export function sentence(key: `ui.${string}`, args: Args, elements: Record<string, ComponentChild>): ComponentChild[] {
  const names = Object.keys(elements);
  const marks = names.map((name, i) => [name, String.fromCharCode(first + i)] as const);
  return t(key, { ...args, ...Object.fromEntries(marks) })
    .split(/([\ue000-\ue0ff])/)
    .map((part) => elements[names[part.charCodeAt(0) - first] ?? ''] ?? part);
}

// Of the letters that Unicode leaves to everybody, and that no text has.
const first = 0xe000;
