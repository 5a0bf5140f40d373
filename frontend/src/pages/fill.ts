// Fills the skeletons of frontend/pages, byte for byte as api/web does; pages/vectors.json holds both to that. The server has put the words
// ({{t:key}}) into what a device gets.

const slot = /\{\{(?:\{([a-z]\w*)\}|([a-z]\w*))\}\}|\{\{/g;

/** `{{name}}` is escaped, `{{{name}}}` is HTML. A slot without a value and braces that are neither throw. */
export function fill(template: string, values: Record<string, string>): string {
  return template.replace(slot, (_, raw?: string, name?: string) => {
    const value: unknown = values[raw ?? name ?? ''];
    if (typeof value !== 'string') throw new Error(raw ?? name);
    return raw ? value : escapeHTML(value);
  });
}

/** What stands for a sign in HTML. */
export const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

/** As Go's html.EscapeString. */
export function escapeHTML(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] as string);
}
