import { api, ask, type Schemas } from '../../api/client';
import { Unreached } from '../../api/problem';

type Enrollment = Schemas['Enrollment'];

/** The address of the next item that is not done, in the version that the learner takes; without one, the course's page. */
export async function nextItem(mine: Enrollment, locale: string): Promise<string> {
  const course = coursePage(mine, locale);
  try {
    const [version, progress] = await Promise.all([
      ask(api.GET('/api/courses/{course_id}', { params: { path: { course_id: mine.course_id }, query: { version: mine.number } } })),
      ask(api.GET('/api/enrollments/{enrollment_id}/progress', { params: { path: { enrollment_id: mine.id } } })),
    ]);
    const done = new Set(progress.items.filter(({ completed }) => completed).map(({ object_id }) => object_id));
    const open = version.modules.flatMap(({ items }) => items).find(({ id }) => !done.has(id));
    return open ? `${course}/${open.id}` : course;
  } catch (cause) {
    // The course's own page is on the device, where the course is, and knows what comes next.
    if (cause instanceof Unreached) return course;
    throw cause;
  }
}

export function coursePage(mine: Enrollment, locale: string): string {
  return `/${locale}/courses/${mine.course_id}@${mine.number}`;
}
