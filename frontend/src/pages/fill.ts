// Fills the skeletons of frontend/pages, byte for byte as api/web does; pages/vectors.json holds both to that.

const slot = /^(?:\{\{\{([a-z][a-z0-9_]*)\}\}\}|\{\{(?:([a-z][a-z0-9_]*)|t:([a-z][a-z0-9_.-]*))\}\})/;

/**
 * `{{name}}` is escaped, `{{{name}}}` is HTML, `{{t:key}}` is a word. A slot without a value
 * and braces that are none of these throw.
 */
export function fill(template: string, values: Record<string, string>, words: Record<string, string>): string {
  let out = '';
  let rest = template;
  for (;;) {
    const open = rest.indexOf('{{');
    if (open < 0) return out + rest;
    out += rest.slice(0, open);
    rest = rest.slice(open);
    const found = slot.exec(rest);
    if (!found) throw new Error(`page skeleton: ${rest.slice(0, 20)}`);
    const [whole, raw, name, key] = found;
    if (raw !== undefined) out += own(values, raw);
    else out += escapeHTML(name !== undefined ? own(values, name) : own(words, key as string));
    rest = rest.slice(whole.length);
  }
}

function own(from: Record<string, string>, name: string): string {
  const value = Object.getOwnPropertyDescriptor(from, name)?.value as unknown;
  if (typeof value !== 'string') throw new Error(`page skeleton: nothing fills ${name}`);
  return value;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

/** As Go's html.EscapeString. */
export function escapeHTML(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] as string);
}
