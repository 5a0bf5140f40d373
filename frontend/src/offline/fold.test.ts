import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fold, type Foldable, type Folded } from './fold';

const vectors = JSON.parse(readFileSync(join(process.cwd(), '../internal/learning/testdata/fold.json'), 'utf8')) as { name: string; statements: Foldable[]; progress: Folded[] }[];

// A small generator of chance that gives the same on every run.
function chance(seed: number): (below: number) => number {
  let state = seed + 0x9e3779b9;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = (Math.imul(state ^ (state >>> 12), 0x297a2d39) + 1) | 0;
    return ((state ^ (state >>> 15)) >>> 0) % below;
  };
}

function someStatements(seed: number): Foldable[] {
  const roll = chance(seed);
  return Array.from({ length: 2 + roll(30) }, (_, i): Foldable => {
    const base = { id: `id-${String(i).padStart(3, '0')}`, enrollment_id: `e${roll(2)}`, received_at: roll(4) ? `2026-11-${10 + roll(9)}T00:00:00${roll(2) ? '.5' : ''}Z` : undefined };
    const score = roll(5) / 4;
    switch (roll(6)) {
      case 0:
        return { ...base, verb: 'started', object_id: `o${roll(3)}` };
      case 1:
        return { ...base, verb: 'completed', object_id: `o${roll(3)}` };
      case 2:
        return { ...base, verb: 'answered', object_id: 'quiz', ...(roll(3) ? { score, success: score > 0.5 } : {}) };
      case 3:
        return { ...base, verb: 'answered', object_id: 'drawn', attempt: 1 + roll(4), score, success: score > 0.5 };
      case 4:
        return { ...base, verb: 'submitted', object_id: 'lab', submission_id: `s${roll(3)}` };
      default:
        return { ...base, verb: score > 0.5 ? 'passed' : 'failed', object_id: 'lab', submission_id: `s${roll(3)}`, revision: roll(3), score };
    }
  });
}

function shuffled<T>(list: readonly T[], roll: (below: number) => number): T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = roll(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

describe('the fold', () => {
  it('gives what the server’s gives, in any order', () => {
    expect(vectors.length).toBeGreaterThan(5);
    vectors.forEach(({ name, statements, progress }, i) => {
      expect(fold(statements), name).toEqual(progress);
      for (let seed = 0; seed < 5; seed++) expect(fold(shuffled([...statements, ...statements.slice(0, 2)], chance(i * 10 + seed))), name).toEqual(progress);
    });
  });

  it('gives the same in any order and with any repetition', () => {
    for (let seed = 0; seed < 300; seed++) {
      const roll = chance(seed + 1000);
      const all = someStatements(seed);
      const want = fold(all);
      const repeated = shuffled([...all, ...all.filter(() => roll(2))], roll);
      expect(fold(repeated), `seed ${seed}`).toEqual(want);
      expect(fold(shuffled(all, roll)), `seed ${seed}`).toEqual(want);
    }
  });

  it('never loses what it had when more arrives, but for a verdict that takes the place of another', () => {
    for (let seed = 0; seed < 200; seed++) {
      const all = someStatements(seed).filter(({ revision }) => !revision);
      const some = fold(all.slice(0, all.length >> 1));
      const whole = fold(all);
      for (const part of some) {
        const now = whole.find((one) => one.object_id === part.object_id && one.enrollment_id === part.enrollment_id);
        if (part.object_id === 'lab' || part.object_id === 'drawn') continue;
        expect(now?.attempts ?? 0).toBeGreaterThanOrEqual(part.attempts);
        expect(now?.completed ?? false).toBe((now?.completed ?? false) || part.completed);
      }
    }
  });

  it('counts a draw once all before it are there', () => {
    const draw = (attempt: number, score: number): Foldable => ({ id: `a${attempt}`, enrollment_id: 'e', verb: 'answered', object_id: 'q', attempt, score, success: score === 1 });
    expect(fold([draw(2, 1)])).toEqual([{ enrollment_id: 'e', object_id: 'q', started: true, completed: false, attempts: 0, updated_at: '' }]);
    expect(fold([draw(2, 1), draw(1, 0.5)])).toMatchObject([{ completed: true, score: 1, attempts: 2 }]);
  });

  it('takes the first to arrive of two answers to one draw', () => {
    const draw = (id: string, score: number, received_at?: string): Foldable => ({ id, enrollment_id: 'e', verb: 'answered', object_id: 'q', attempt: 1, score, received_at });
    expect(fold([draw('a', 1), draw('b', 0.5, '2026-01-01T00:00:00Z')])).toMatchObject([{ score: 0.5, attempts: 1 }]);
    expect(fold([draw('a', 1, '2026-01-01T00:00:00.5Z'), draw('b', 0.5, '2026-01-01T00:00:00Z')])).toMatchObject([{ score: 0.5, attempts: 1 }]);
  });

  it('lets the last verdict on a submission tell', () => {
    const verdict = (id: string, verb: string, revision?: number, score = verb === 'passed' ? 1 : 0): Foldable => ({ id, enrollment_id: 'e', verb, object_id: 'lab', submission_id: 's', revision, score });
    expect(fold([verdict('a', 'passed'), verdict('b', 'failed', 1)])).toMatchObject([{ completed: false, score: 0, attempts: 1 }]);
    expect(fold([verdict('a', 'failed'), verdict('b', 'passed', 1)])).toMatchObject([{ completed: true, score: 1, attempts: 1 }]);
  });

  it('keeps enrollments apart and sorts', () => {
    const one = (enrollment_id: string, object_id: string): Foldable => ({ id: enrollment_id + object_id, enrollment_id, verb: 'completed', object_id });
    expect(fold([one('b', 'x'), one('a', 'y'), one('a', 'x')]).map(({ enrollment_id: e, object_id: o }) => e + o)).toEqual(['ax', 'ay', 'bx']);
  });
});
