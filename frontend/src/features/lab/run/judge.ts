// Judges what was seen of the visible checks, as internal/lab/judge.go does; testdata/judge.json holds both to the same
// answers. A preview: the server judges again.
import type { CheckResult } from './index';
import type { Report, Seen } from './report';
import type { CheckRule, Metric, Rule } from './rule';
import { compileRE2 } from './re2';
import { equal, numberOf, parseValue, type Value } from './value';
import type { End, Job } from './worker/wire';

export interface Observation {
  value?: unknown;
  repr?: string;
  raised?: string;
  output?: string;
  file?: string | null;
}

export interface Judgement {
  /** undefined: this page cannot tell. */
  passed: boolean | undefined;
  score: number;
  says?: string;
}

const yes = (passed: boolean | undefined): Judgement => ({ passed, score: passed ? 1 : 0 });

export type RunScript = (job: Job, wall: number) => Promise<{ end: End }>;

export async function judge(checks: CheckRule[], report: Report, run: RunScript): Promise<CheckResult[]> {
  void run; // judge scripts follow
  const seen = report.seen.slice();
  return checks.map(({ id, rule }) => {
    const of = rule as Rule;
    const observation: Observation =
      of.observe === 'output' ? { output: report.stdout } : of.observe === 'file' ? { file: report.files[of.file ?? ''] ?? null } : ((seen.shift() ?? {}) as Seen);
    const judged = decide(of, observation);
    return { id, ...judged, got: observation.repr, error: observation.raised };
  });
}

/** Judges one observation by a rule that needs no script. */
export function decide(rule: Rule, seen: Observation): Judgement {
  const { want } = rule;
  if (rule.observe !== 'call') {
    const text = rule.observe === 'output' ? seen.output : seen.file;
    if (typeof text !== 'string') return yes(false);
    if (rule.kind === 'equals') return yes(trimmed(text) === trimmed(String(want)));
    return yes(rule.kind === 'matches' ? matches(String(want), text) : undefined);
  }
  if (rule.kind === 'raises') return yes(raises(String(want), seen.raised ?? ''));
  if (seen.raised) return yes(false);
  const got = parseValue(seen.value);
  switch (rule.kind) {
    case 'equals':
      return yes(equal(want, got));
    case 'near':
      return yes(near(want, got, rule.tolerance ?? 0));
    case 'set':
      return yes(Array.isArray(want) && sameSet(want, got));
    case 'unordered':
      return yes(Array.isArray(want) && sameMembers(want, got));
    case 'matches':
      return yes(got.kind === 's' ? matches(String(want), got.text) : false);
    case 'metric':
      return yes(rule.metric ? meets(rule.metric, got) : undefined);
  }
  return yes(undefined);
}

const trimmed = (text: string) => text.replace(/\n$/, '');

function matches(pattern: string, text: string): boolean | undefined {
  return compileRE2(pattern)?.test(text);
}

function raises(want: string, raised: string): boolean {
  return raised.split(':')[0] === want;
}

/** Numbers within a tolerance, alone or as the members of lists and dicts. */
function near(want: unknown, got: Value, tolerance: number): boolean {
  if (typeof want === 'number') {
    const n = numberOf(got);
    return n !== undefined && Math.abs(n - want) <= tolerance;
  }
  if (Array.isArray(want)) {
    return got.kind === 'l' && got.items.length === want.length && want.every((w, i) => near(w, got.items[i] as Value, tolerance));
  }
  if (!want || typeof want !== 'object' || got.kind !== 'd') return false;
  const wanted = want as Record<string, unknown>;
  if (got.items.length !== 2 * Object.keys(wanted).length) return false;
  const met = new Set<string>();
  for (let i = 0; i < got.items.length; i += 2) {
    const key = got.items[i] as Value;
    if (key.kind !== 's' || met.has(key.text) || !Object.prototype.hasOwnProperty.call(wanted, key.text)) return false;
    if (!near(wanted[key.text], got.items[i + 1] as Value, tolerance)) return false;
    met.add(key.text);
  }
  return true;
}

/** A list, tuple or set with the wanted members; neither order nor repeats count. */
function sameSet(want: unknown[], got: Value): boolean {
  if (got.kind !== 'l' && got.kind !== 'e') return false;
  return got.items.every((g) => want.some((w) => equal(w, g))) && want.every((w) => got.items.some((g) => equal(w, g)));
}

/** The same members the same number of times, in any order. */
function sameMembers(want: unknown[], got: Value): boolean {
  if ((got.kind !== 'l' && got.kind !== 'e') || got.items.length !== want.length) return false;
  const left = got.items.slice();
  return want.every((w) => {
    const at = left.findIndex((g) => equal(w, g));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** A figure of predictions, one a row, and its bound. */
function meets({ name, labels, groups, at_least, at_most }: Metric, got: Value): boolean {
  if (got.kind !== 'l' || got.items.length !== labels.length || !labels.length) return false;
  const right = labels.map((label, i) => equal(label, got.items[i] as Value));
  const share = (of: boolean[]) => of.filter(Boolean).length / of.length;
  let figure = share(right);
  if (name === 'error_rate') figure = right.filter((one) => !one).length / right.length;
  if (name === 'group_gap') {
    const byGroup = new Map<string, boolean[]>();
    right.forEach((one, i) => {
      const group = JSON.stringify((groups ?? [])[i]);
      byGroup.set(group, [...(byGroup.get(group) ?? []), one]);
    });
    const shares = Array.from(byGroup.values(), share);
    figure = Math.max(...shares) - Math.min(...shares);
  }
  return at_least !== undefined ? figure >= at_least : at_most !== undefined && figure <= at_most;
}
