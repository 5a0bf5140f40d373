// What this device knows of the learner's enrollment, where the server does not tell.
import type { Schemas } from '../api/client';
import { context } from '../context';
import { enrollmentIn, progressOf, type Enrollment, type Intent } from '../offline/history';
import { remember } from '../offline/kept';

/** The enrollment in a course and how far the learner is; undefined where this device knows of none. */
export async function known(user: string, course: string): Promise<{ enrollment: Enrollment; progress: Schemas['Progress'] } | undefined> {
  const enrollment = await enrollmentIn(user, course);
  return enrollment && { enrollment, progress: await progressOf(user, enrollment) };
}

/** Joins a course without the network, with the version of this page. Rejects where the disk takes no part: it would count for nothing. */
export async function join(user: string, enrollment: Pick<Intent, 'id' | 'course_id' | 'institution_id'>): Promise<void> {
  const { version: number, locale } = context();
  const title = document.querySelector('.crumb a, h1')?.textContent ?? enrollment.course_id;
  const total = document.querySelectorAll('.item[data-item]').length;
  const intent: Intent = { ...enrollment, number, title, locale, total, created_at: new Date().toISOString() };
  await remember(user, 'intent', intent, intent.id);
}
