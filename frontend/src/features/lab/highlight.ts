// Colours Python enough to read it on a phone. It finds words; it understands nothing.

export type Kind = 'comment' | 'string' | 'number' | 'keyword' | 'builtin' | 'name' | 'plain';
export interface Token {
  kind: Kind;
  text: string;
}

const keywords = new Set(
  ('False None True and as assert async await break class continue def del elif else except finally for from global if import ' +
    'in is lambda nonlocal not or pass raise return try while with yield match case').split(' '),
);
const builtins = new Set(
  ('abs all any bool dict enumerate filter float input int isinstance len list map max min open print range reversed round set ' +
    'sorted str sum tuple type zip').split(' '),
);

const pattern =
  /(#[^\n]*)|([rbfuRBFU]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(\b\d[\d_.]*(?:[eE][+-]?\d+)?\b)|([\p{L}_][\p{L}\p{N}_]*)/gu;

/** The tokens of a source, which joined give the source again. */
export function highlight(source: string): Token[] {
  const tokens: Token[] = [];
  let last = 0;
  for (const match of source.matchAll(pattern)) {
    const at = match.index as number;
    if (at > last) tokens.push({ kind: 'plain', text: source.slice(last, at) });
    tokens.push({ kind: kindOf(match), text: match[0] });
    last = at + match[0].length;
  }
  if (last < source.length) tokens.push({ kind: 'plain', text: source.slice(last) });
  return tokens;
}

function kindOf([, comment, string, number, word]: RegExpMatchArray): Kind {
  if (comment !== undefined) return 'comment';
  if (string !== undefined) return 'string';
  if (number !== undefined) return 'number';
  if (keywords.has(word as string)) return 'keyword';
  return builtins.has(word as string) ? 'builtin' : 'name';
}
