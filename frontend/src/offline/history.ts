// What happened in a learner's courses, as far as this device knows: its own statements that the server acknowledged, and those of other
// devices and of the server itself, fetched by sync. Each once, under its id.
import type { Schemas } from '../api/client';
import { disk } from './db';
import { fold, type Foldable, type Folded } from './fold';
import { recall, recallAll } from './kept';
import { open } from './locker';
import { entries, range } from './outbox';

export type Enrollment = Schemas['Enrollment'];

/** As it lies on the disk: the stamp can be read without the learner's key. */
export interface HistoryRecord {
  user: string;
  n: string; // the statement's id
  device?: string;
  epoch?: number;
  sequence?: number;
  /** The how-manieth of the learner's it is to the server. Absent until it was fetched. */
  arrival?: number;
  /** The sync state's round in which the server was seen to have it. */
  round?: number;
  /** The server would not take it. It stays here to be exported, and counts for nothing. */
  rejected?: boolean;
  body: unknown;
}

/** An enrollment that was made without the network. Its id holds, unless the learner had joined elsewhere before. */
export interface Intent {
  id: string;
  course_id: string;
  number: number;
  title: string;
  /** In which language it stood on the page. */
  locale: string;
  /** How many items it has, where the page knew. */
  total: number;
  institution_id?: string;
  created_at: string;
}

/** All that counts: what the server has taken, and what waits on this device. */
export async function everything(user: string): Promise<Foldable[]> {
  const [records, waiting] = await Promise.all([disk.list<HistoryRecord>('history', range(user)).catch(() => []), entries(user)]);
  const taken = await Promise.all(records.filter(({ rejected }) => !rejected).map(({ body }) => open<Foldable>(user, body)));
  const known = new Set(taken.map(({ id }) => id));
  for (const { found, ...entry } of waiting) {
    if (!known.has(entry.id)) taken.push({ ...entry, ...(found ? { score: found.score, success: found.passed } : {}) });
  }
  return taken;
}

/** How far the learner is with every object, by enrollment, as this device knows. */
export async function standings(user: string): Promise<Map<string, Folded[]>> {
  const out = new Map<string, Folded[]>();
  for (const one of fold(await everything(user))) {
    const list = out.get(one.enrollment_id);
    if (list) list.push(one);
    else out.set(one.enrollment_id, [one]);
  }
  return out;
}

/** The same of one enrollment, as the server tells it. */
export async function progressOf(user: string, enrollment: Pick<Enrollment, 'id' | 'course_id' | 'number'>): Promise<Schemas['Progress']> {
  const all = (await standings(user)).get(enrollment.id) ?? [];
  const course = all.find(({ object_id }) => object_id === enrollment.course_id);
  return {
    enrollment_id: enrollment.id,
    course_id: enrollment.course_id,
    number: enrollment.number,
    completed: course?.completed ?? false,
    items: all.filter((one) => one !== course).map(({ object_id, started, completed, score, attempts, updated_at }) => ({ object_id, started, completed, score, attempts, updated_at })),
  };
}

/** The enrollments that this device knows of, and those made here that the server does not know yet, with how much is done. */
export async function enrollments(user: string): Promise<Enrollment[]> {
  const [known = [], intents, all] = await Promise.all([recall<Enrollment[]>(user, 'enrollments'), recallAll<Intent>(user, 'intent'), standings(user)]);
  const list = [...known];
  for (const intent of intents) {
    if (list.some(({ course_id }) => course_id === intent.course_id)) continue;
    const { id, course_id, number, title, locale, total, institution_id = '', created_at } = intent;
    list.push({ id, user_id: user, institution_id, course_id, version_id: '', number, title: { [locale]: title }, source_locale: locale, created_at, done: 0, total, completed: false });
  }
  return list.map((one) => {
    const mine = all.get(one.id) ?? [];
    const done = mine.filter(({ object_id, completed }) => completed && object_id !== one.course_id).length;
    const completed = one.completed || mine.some((of) => of.object_id === one.course_id && of.completed);
    return { ...one, completed, done: one.total ? Math.min(one.total, Math.max(one.done, done)) : done };
  });
}

/** The enrollment in a course, as far as this device knows. */
export async function enrollmentIn(user: string, course: string): Promise<Enrollment | undefined> {
  return (await enrollments(user)).find(({ course_id }) => course_id === course);
}
