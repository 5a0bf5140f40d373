// Judges what was seen of the visible checks, as internal/lab/grading/judge.go does; its testdata/judge.json holds both to the
// same answers. A preview: the server judges again.
import type { Report, Seen } from './report';
import type { CheckRule, Metric, Rule } from './rule';
import type { CheckResult } from './index';
import { compileRE2 } from './re2';
import { equal, near, NoValue, numberText, parseValue, python, sameMembers, sameSet, type Value } from './value';

/** What one check looks at. */
export interface Observation extends Seen {
  output?: string;
  file?: string | null;
}

export interface Finding {
  /** undefined: this page cannot tell. */
  passed: boolean | undefined;
  score: number;
  /** Of a metric its figure. */
  got?: string;
  /** The key of what a judge script says. */
  says?: string;
}

/** The check itself is at fault. */
export class AuthorFault extends Error {}

/** One question to a script of the author's, in the form of internal/lab/grading/judge.py. */
export interface Task {
  name: string;
  source: string;
  hidden: boolean;
  says: string[];
  seen: Observation;
}
export interface Answer {
  score?: number;
  says?: string | null;
  error?: string;
}
/** Asks scripts in a fresh Python; undefined when that cannot be had here. */
export type Ask = (tasks: Task[]) => Promise<Answer[] | undefined>;

const yesNo = (passed: boolean | undefined): Finding => ({ passed, score: passed ? 1 : 0 });

export async function judge(checks: CheckRule[], report: Report, ask: Ask): Promise<CheckResult[]> {
  const calls = report.seen.slice();
  const observations = checks.map(({ rule }): Observation => {
    if (rule?.observe === 'output') return { output: report.stdout };
    if (rule?.observe === 'file') return { file: report.files[rule.file ?? ''] ?? null };
    const { value, repr, raised, classes } = calls.shift() ?? {};
    return { value, repr, raised, classes };
  });
  const found = checks.map(({ rule }, i) => (rule?.kind === 'judge' ? undefined : decide(rule as Rule, observations[i] as Observation)));
  const open = checks.map((_, i) => i).filter((i) => !found[i] && observations[i]?.file !== null);
  const answers = open.length ? await ask(open.map((i) => taskOf(checks[i]?.rule as Rule, observations[i] as Observation))) : [];
  open.forEach((i, n) => (found[i] = answers ? foundBy(answers[n]) : yesNo(undefined)));
  return checks.map(({ id, rule }, i) => resultOf(id, rule as Rule, observations[i] as Observation, found[i] ?? yesNo(false)));
}

export function taskOf(rule: Rule, seen: Observation): Task {
  // The script gets a value of our own reading, whatever wrote it before.
  if (rule.observe === 'call' && !seen.raised) parseValue(seen.value);
  if (seen.raised && !seen.classes?.includes('BaseException')) throw new NoValue();
  return { name: rule.judge_name ?? 'judge.py', source: rule.judge ?? '', hidden: false, says: Object.keys(rule.says ?? {}), seen };
}

export function foundBy(answer: Answer | undefined): Finding {
  if (!answer || answer.error || typeof answer.score !== 'number') throw new AuthorFault(answer?.error);
  return { passed: answer.score === 1, score: answer.score, says: answer.says ?? undefined };
}

/** What the learner is shown of a check, as the grader shows it. */
function resultOf(id: string, rule: Rule, seen: Observation, found: Finding): CheckResult {
  const result: CheckResult = { id, passed: found.passed, score: found.score };
  if (found.says !== undefined) result.says = rule.says?.[found.says] ?? found.says;
  if (seen.file === null) result.error = 'lab.check_error.no_file';
  else if (typeof seen.file === 'string') result.got = clip(seen.file);
  else {
    if (found.got ?? seen.repr) result.got = clip(found.got ?? seen.repr ?? '');
    if (seen.raised) result.error = clip(seen.raised);
  }
  const wanted = found.passed === false && rule.reveal ? clip(expected(rule)) : '';
  if (wanted) result.expected = wanted;
  return result;
}

const clip = (text: string) => text.slice(0, 2048);

/** Judges one observation by a rule that needs no script. */
export function decide(rule: Rule, seen: Observation): Finding {
  const { want } = rule;
  if (rule.observe !== 'call') {
    const text = rule.observe === 'output' ? seen.output : seen.file;
    if (typeof text !== 'string') return yesNo(false);
    if (typeof want !== 'string') throw new AuthorFault();
    if (rule.kind === 'equals') return yesNo(lastLine(text) === lastLine(want));
    return yesNo(rule.kind === 'matches' ? matches(want, text) : undefined);
  }
  if (seen.raised) return yesNo(rule.kind === 'raises' && (seen.classes ?? []).includes(String(want)));
  const got = parseValue(seen.value);
  switch (rule.kind) {
    case 'equals':
      return yesNo(equal(want, got));
    case 'near':
      return yesNo(near(want, rule.tolerance ?? 0, got));
    case 'set':
    case 'unordered':
      if (!Array.isArray(want)) throw new AuthorFault();
      return yesNo(rule.kind === 'set' ? sameSet(want, got) : sameMembers(want, got));
    case 'matches':
      return yesNo(got.kind === 's' && matches(String(want), got.text));
    case 'raises':
      return yesNo(false);
    case 'metric':
      return measure(rule.metric, got);
  }
  // A kind that is newer than this page, or a rule of old without one.
  return yesNo(undefined);
}

/** Without the line ends that a text ends with, and what Windows adds to the others. */
const lastLine = (text: string) => text.replace(/\r\n/g, '\n').replace(/\n+$/, '');

const matches = (pattern: string, text: string): boolean | undefined => compileRE2(pattern)?.test(text);

// For figures that differ by rounding alone.
const slack = 1e-9;

/** A figure of predictions, one a row, and its bound. What is no such list has no figure, and fails. */
function measure(metric: Metric | undefined, got: Value): Finding {
  if (!metric?.labels.length) throw new AuthorFault();
  const { name, labels, groups, at_least, at_most } = metric;
  if (got.kind !== 'l' || got.items.length !== labels.length) return yesNo(false);
  const { items } = got;
  const tallies = new Map<string, { right: number; all: number }>();
  labels.forEach((label, i) => {
    const group = name === 'group_gap' ? String(groups?.[i]) : '';
    const tally = tallies.get(group) ?? { right: 0, all: 0 };
    tally.all++;
    if (equal(label, items[i] as Value)) tally.right++;
    tallies.set(group, tally);
  });
  const shares = Array.from(tallies.values(), ({ right, all }) => right / all);
  const most = Math.max(...shares);
  const figure = name === 'accuracy' ? most : name === 'error_rate' ? 1 - most : most - Math.min(...shares);
  const passed = (at_least !== undefined && figure >= at_least - slack) || (at_most !== undefined && figure <= at_most + slack);
  return { ...yesNo(passed), got: figureText(figure) };
}

/** A share with four decimals at most. */
const figureText = (figure: number) => numberText(Math.round(figure * 1e4) / 1e4);

/** What a rule wants, in signs that need no translation. */
export function expected(rule: Rule): string {
  const { kind, want, metric } = rule;
  switch (kind) {
    case 'near':
      return `${python(want)} ± ${numberText(rule.tolerance ?? 0)}`;
    case 'matches':
    case 'raises':
      return typeof want === 'string' ? want : '';
    case 'metric':
      if (metric?.at_least !== undefined) return `≥ ${figureText(metric.at_least)}`;
      return metric?.at_most !== undefined ? `≤ ${figureText(metric.at_most)}` : '';
    case 'judge':
      return '';
  }
  return typeof want === 'string' && rule.observe !== 'call' ? want : python(want);
}
