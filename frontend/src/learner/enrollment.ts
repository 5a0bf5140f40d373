// The learner's enrollment in the course of this page, and how far they are. Islands share it.
import { computed, signal } from '@preact/signals';
import { api, ask, askAll, type Schemas } from '../api/client';
import { loadMe, me, signedIn } from '../api/me';
import { open, waiting } from '../offline/outbox';
import { uuidv7 } from '../offline/uuidv7';

export type Enrollment = Schemas['Enrollment'];
type ItemProgress = Schemas['ItemProgress'];

/** undefined: not known yet · null: not enrolled. */
export const enrollment = signal<Enrollment | null | undefined>(undefined);
export const progress = signal<Schemas['Progress'] | undefined>(undefined);
export const trouble = signal<unknown>(undefined);

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
  try {
    const mine = await askAll((cursor) => ask(api.GET('/api/enrollments', { params: { query: { cursor } } })));
    enrollment.value = mine.find((one) => one.course_id === course) ?? null;
    await loadProgress();
  } catch (cause) {
    trouble.value = cause;
  }
}

export async function loadProgress(): Promise<void> {
  const id = enrollment.value?.id;
  if (!id) return;
  progress.value = await ask(
    api.GET('/api/enrollments/{enrollment_id}/progress', { params: { path: { enrollment_id: id } } }),
  );
}

/** Enrols in the newest version. Twice is no error. */
export async function enrol(course: string, institution?: string): Promise<void> {
  const body = { id: uuidv7(), course_id: course, ...(institution ? { institution_id: institution } : {}) };
  enrollment.value = await ask(api.POST('/api/enrollments', { body }));
  await loadProgress();
}

/** Where the learner stands with each item: what the server knows, and what waits on this device. */
export const standing = computed(() => {
  const items = new Map<string, Pick<ItemProgress, 'started' | 'completed' | 'attempts' | 'score'>>();
  for (const item of progress.value?.items ?? []) items.set(item.object_id, item);
  for (const statement of waiting.value) {
    if (statement.enrollment_id !== enrollment.value?.id) continue;
    const before = items.get(statement.object_id) ?? { started: false, completed: false, attempts: 0 };
    const completed = before.completed || statement.verb === 'completed';
    items.set(statement.object_id, { ...before, started: true, completed });
  }
  return items;
});
