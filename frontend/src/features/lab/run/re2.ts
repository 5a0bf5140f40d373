// Go's regular expressions (RE2) as JavaScript's. What has no exact counterpart is not guessed at.

/** undefined: this pattern means something that JavaScript cannot say. */
export function compileRE2(pattern: string): RegExp | undefined {
  try {
    const [source, flags] = translate(pattern);
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

class Untranslatable extends Error {}

const posix: Record<string, string> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
const space = '\\t\\n\\f\\r ';
const general = /^(C|Cc|Cf|Co|Cs|L|Ll|Lm|Lo|Lt|Lu|M|Mc|Me|Mn|N|Nd|Nl|No|P|Pc|Pd|Pe|Pf|Pi|Po|Ps|S|Sc|Sk|Sm|So|Z|Zl|Zp|Zs)$/;

function translate(pattern: string): [source: string, flags: string] {
  let rest = pattern;
  let flags = 'u';
  let dotAll = false;
  const lead = /^\(\?([ims]+)\)/.exec(rest);
  if (lead) {
    const set = lead[1] as string;
    if (set.includes('i')) flags += 'i';
    if (set.includes('m')) flags += 'm';
    dotAll = set.includes('s');
    rest = rest.slice(lead[0].length);
  }
  const multiline = flags.includes('m');
  let out = '';
  let inClass = false;
  while (rest) {
    const take = (re: RegExp): RegExpExecArray | undefined => {
      const found = re.exec(rest);
      if (found) rest = rest.slice(found[0].length);
      return found ?? undefined;
    };
    let found: RegExpExecArray | undefined;
    if (inClass) {
      if ((found = take(/^\[:(\^?)(\w+):\]/))) {
        if (found[1]) throw new Untranslatable();
        out += posix[found[2] as string] ?? fail();
      } else if ((found = take(/^\]/))) {
        inClass = false;
        out += ']';
      } else if (take(/^\[/)) out += '\\[';
      else if (rest[0] === '\\') out += escape(take, true);
      else out += literal((take(/^[\s\S]/u) as RegExpExecArray)[0], '^-');
      continue;
    }
    if ((found = take(/^\[(\^?)(\]?)/))) {
      inClass = true;
      out += `[${found[1]}${found[2] ? '\\]' : ''}`;
    } else if ((found = take(/^\(\?P?<([A-Za-z_]\w*)>/))) out += `(?<${found[1]}>`;
    else if (take(/^\(\?:/)) out += '(?:';
    else if (rest.startsWith('(?')) throw new Untranslatable();
    else if (take(/^\./)) out += dotAll ? '[^]' : '[^\\n]';
    // JavaScript's line ends are more than \n.
    else if (take(/^\^/)) out += multiline ? '(?<![^\\n])' : '^';
    else if (take(/^\$/)) out += multiline ? '(?![^\\n])' : '$';
    else if ((found = take(/^(?:[*+?]|\{\d+(?:,\d*)?\})\??/))) out += found[0];
    else if ((found = take(/^[()|]/))) out += found[0];
    else if (rest[0] === '\\') out += escape(take, false);
    else out += literal((take(/^[\s\S]/u) as RegExpExecArray)[0], '');
  }
  if (inClass) throw new Untranslatable();
  return [out, multiline ? flags.replace('m', '') : flags];
}

function fail(): never {
  throw new Untranslatable();
}

function literal(char: string, plain: string): string {
  return /[\^$\\.*+?()[\]{}|/-]/.test(char) && !plain.includes(char) && char !== '-' ? `\\${char}` : char;
}

function escape(take: (re: RegExp) => RegExpExecArray | undefined, inClass: boolean): string {
  let found: RegExpExecArray | undefined;
  if ((found = take(/^\\([dDwW])/))) return `\\${found[1]}`;
  if (take(/^\\s/)) return inClass ? space : `[${space}]`;
  if (take(/^\\S/)) return inClass ? fail() : `[^${space}]`;
  if ((found = take(/^\\([bB])/))) return inClass ? fail() : `\\${found[1]}`;
  if (take(/^\\A/)) return inClass ? fail() : '(?<![^])';
  if (take(/^\\z/)) return inClass ? fail() : '(?![^])';
  if ((found = take(/^\\([pP])(?:\{(\^?)(\w+)\}|(\w))/))) {
    const name = (found[3] ?? found[4]) as string;
    const negative = (found[1] === 'P') !== (found[2] === '^');
    return `\\${negative ? 'P' : 'p'}{${general.test(name) ? name : `Script=${name}`}}`;
  }
  if ((found = take(/^\\Q([\s\S]*?)(?:\\E|$)/))) return Array.from(found[1] as string, (char) => literal(char, '')).join('');
  if (take(/^\\a/)) return '\\x07';
  if ((found = take(/^\\([fnrtv])/))) return `\\${found[1]}`;
  if ((found = take(/^\\x([0-9A-Fa-f]{2})/))) return `\\x${found[1]}`;
  if ((found = take(/^\\x\{([0-9A-Fa-f]{1,6})\}/))) return `\\u{${found[1]}}`;
  if ((found = take(/^\\([^\w\s])/u))) {
    const char = found[1] as string;
    return /[\^$\\.*+?()[\]{}|/]/.test(char) || (inClass && char === '-') ? `\\${char}` : char;
  }
  return fail();
}
