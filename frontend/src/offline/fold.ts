// How far a learner is, derived from statements: what internal/learning/fold.go does on the server, step by step.
// internal/learning/testdata/fold.json holds both to the same results.

/** What a fold needs to know of a statement. One that the server has not seen yet has no `received_at`. */
export interface Foldable {
  id: string;
  enrollment_id: string;
  verb: string;
  object_id: string;
  received_at?: string;
  score?: number;
  success?: boolean;
  /** Of a quiz that draws its questions: which draw was answered, from 1. */
  attempt?: number;
  submission_id?: string;
  /** Orders the verdicts on one submission. */
  revision?: number;
}

/** How far a learner is with one object. */
export interface Folded {
  enrollment_id: string;
  object_id: string;
  started: boolean;
  completed: boolean;
  score?: number;
  attempts: number;
  /** When the last statement was received; '' while the server has none of them. */
  updated_at: string;
}

// RFC 3339 in UTC sorts as text once its Z is gone: a fraction makes it later.
const instant = (time = '') => time.replace(/Z$/, '');
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** What one statement adds to the progress on its object. */
function delta(st: Foldable): Folded {
  const out: Folded = { enrollment_id: st.enrollment_id, object_id: st.object_id, started: true, completed: false, attempts: 0, updated_at: st.received_at ?? '' };
  if (st.verb === 'completed') out.completed = true;
  else if (st.verb === 'answered' || st.verb === 'passed' || st.verb === 'failed') {
    // Graded again, it is the same attempt.
    if (!st.revision) out.attempts = 1;
    if (st.score !== undefined) out.score = st.score;
    out.completed = st.verb === 'passed' || st.success === true;
  }
  return out;
}

/** What a verdict leaves behind when a later one has taken its place. */
function superseded(one: Folded): Folded {
  const out = { ...one, completed: false };
  delete out.score;
  return out;
}

// Commutative and associative, so that neither the order of statements nor the split of batches matters.
function merge(a: Folded, b: Folded): Folded {
  const out = { ...a, started: a.started || b.started, completed: a.completed || b.completed, attempts: a.attempts + b.attempts };
  if (b.score !== undefined && (a.score === undefined || b.score > a.score)) out.score = b.score;
  if (instant(b.updated_at) > instant(a.updated_at)) out.updated_at = b.updated_at;
  return out;
}

/** A verdict takes the place of another. Two of one revision are told apart by their ids, whatever the order in which they come. */
function later(a: Foldable, b: Foldable): boolean {
  return ((a.revision ?? 0) - (b.revision ?? 0) || compare(a.id, b.id)) > 0;
}

// What waits on the device is the last to arrive.
function sooner(a: Foldable, b: Foldable): boolean {
  const when = (st: Foldable) => (st.received_at === undefined ? '~' : instant(st.received_at));
  return (compare(when(a), when(b)) || compare(a.id, b.id)) < 0;
}

// Attempts at a quiz that draws: each counts when all before it are there, so they may arrive in any order.
function counted(attempts: Map<number, Foldable>): Folded {
  let out = Array.from(attempts.values(), (st) => ({ ...superseded(delta(st)), attempts: 0 })).reduce(merge);
  for (let n = 1; attempts.has(n); n++) out = merge(out, delta(attempts.get(n) as Foldable));
  return out;
}

const key = (...parts: string[]) => parts.join('\n');

/**
 * Derives progress from statements, one entry an object, sorted by enrollment and object. Neither the order of the
 * statements nor a repetition of one (the same id) changes anything.
 */
export function fold(statements: Iterable<Foldable>): Folded[] {
  const out = new Map<string, Folded>();
  const verdicts = new Map<string, Foldable>();
  const drawn = new Map<string, Map<number, Foldable>>();
  const known = new Set<string>();
  const add = (one: Folded) => {
    const at = key(one.enrollment_id, one.object_id);
    const before = out.get(at);
    out.set(at, before ? merge(before, one) : one);
  };
  for (const st of statements) {
    if (known.has(st.id)) continue;
    known.add(st.id);
    if (st.attempt) {
      const at = key(st.enrollment_id, st.object_id);
      const attempts = drawn.get(at) ?? new Map<number, Foldable>();
      drawn.set(at, attempts);
      const before = attempts.get(st.attempt);
      if (!before || sooner(st, before)) attempts.set(st.attempt, st);
    } else if (st.submission_id && (st.verb === 'passed' || st.verb === 'failed')) {
      const at = key(st.enrollment_id, st.submission_id);
      const before = verdicts.get(at);
      if (!before || later(st, before)) {
        verdicts.set(at, st);
        if (before) add(superseded(delta(before)));
      } else add(superseded(delta(st)));
    } else add(delta(st));
  }
  for (const st of verdicts.values()) add(delta(st));
  for (const attempts of drawn.values()) add(counted(attempts));
  return Array.from(out.values()).sort((a, b) => compare(a.enrollment_id, b.enrollment_id) || compare(a.object_id, b.object_id));
}
