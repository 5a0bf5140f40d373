import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';

export type CourseSummary = Schemas['CourseSummary'];

/** The courses of this server; undefined until they are known. A screen that only filters by them works without. */
export function useCourses(): Signal<readonly CourseSummary[] | undefined> {
  const courses = useSignal<readonly CourseSummary[] | undefined>(undefined);
  useEffect(() => {
    ask(api.GET('/api/courses', { params: { query: { limit: 200 } } }))
      .then(({ items }) => (courses.value = items))
      .catch(() => undefined);
  }, []);
  return courses;
}
