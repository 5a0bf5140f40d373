// The learner's enrollment in the course of this page, and how far they are. Islands share it. The server tells, and where it is
// not reached, what this device knows.
import { computed, signal } from '@preact/signals';
import { api, ask, askAll, type Schemas } from '../api/client';
import { loadMe, me, signedIn } from '../api/me';
import { Unreached } from '../api/problem';
import { context } from '../context';
import { acknowledged, fetched, open, waiting, type NewStatement } from '../offline/outbox';

export type Enrollment = Schemas['Enrollment'];
type ItemProgress = Schemas['ItemProgress'];

/** undefined: not known yet · null: not enrolled. */
export const enrollment = signal<Enrollment | null | undefined>(undefined);
export const progress = signal<Schemas['Progress'] | undefined>(undefined);
export const trouble = signal<unknown>(undefined);

const patience = 3000;
let loading: Promise<void> | undefined;

/** Finds out who is here and whether they take the course. Asked once a page. */
export function loadEnrollment(course: string, again = false): Promise<void> {
  if (!loading || again) loading = load(course);
  return loading;
}

async function load(course: string): Promise<void> {
  trouble.value = undefined;
  await loadMe(me.value === 'unreached');
  const person = signedIn();
  if (!person) return;
  // What waits on this device tells which attempts are made already.
  await open(person.id);
  // A server that takes its time keeps nobody from what this device knows.
  const slow = setTimeout(() => void knownHere(course, true).catch(() => undefined), patience);
  try {
    const mine = await askAll((cursor) => ask(api.GET('/api/enrollments', { params: { query: { cursor } } })));
    const found = mine.find((one) => one.course_id === course);
    // Somebody may have joined here without the network, which the server has not heard of yet.
    if (!found) return await knownHere(course);
    enrollment.value = found;
    await loadProgress();
  } catch (cause) {
    await knownHere(course).catch(() => (trouble.value = cause));
    if (!(cause instanceof Unreached)) trouble.value = cause;
  } finally {
    clearTimeout(slow);
  }
}

// Whoever was not reached is asked again when there is a network.
addEventListener('online', () => {
  if (loading && (me.peek() === 'unreached' || trouble.peek() instanceof Unreached)) void loadEnrollment(context().course, true);
});

// What a sync brought is as good as asking.
fetched.subscribe((count) => {
  if (count && enrollment.peek() !== undefined) void knownHere(context().course).catch(() => undefined);
});

/** Shows what this device knows; with `only`, nothing where it knows of no enrollment. */
export async function knownHere(course: string, only = false): Promise<void> {
  const person = signedIn();
  if (!person) return;
  const { known } = await import('./known-here');
  const found = await known(person.id, course);
  if (only && (!found || enrollment.peek())) return;
  if (found) progress.value = found.progress;
  enrollment.value = found?.enrollment ?? null;
}

export async function loadProgress(): Promise<void> {
  const id = enrollment.value?.id;
  if (!id) return;
  progress.value = await ask(
    api.GET('/api/enrollments/{enrollment_id}/progress', { params: { path: { enrollment_id: id } } }),
  );
}

/** Where the learner stands with each item: what the server knows, and what was done on this device since. */
export const standing = computed(() => {
  const items = new Map<string, Pick<ItemProgress, 'started' | 'completed' | 'attempts' | 'score'>>();
  for (const item of progress.value?.items ?? []) items.set(item.object_id, item);
  for (const done of [acknowledged.value, waiting.value]) for (const statement of done) note(items, statement);
  return items;
});

function note(items: Map<string, Pick<ItemProgress, 'started' | 'completed' | 'attempts' | 'score'>>, { enrollment_id, object_id, verb, found }: NewStatement): void {
  if (enrollment_id !== enrollment.value?.id) return;
  const before = items.get(object_id) ?? { started: false, completed: false, attempts: 0 };
  const completed = before.completed || verb === 'completed' || (found?.passed ?? false);
  const score = found ? Math.max(before.score ?? 0, found.score) : before.score;
  items.set(object_id, { ...before, started: true, completed, score });
}
