import { context } from '../../context';
import { loadEnrollment } from '../../learner/enrollment';
import { mountInto } from '../../ui/mount';
import { CourseProgress, markItems } from './course-progress';
import { LessonProgress } from './lesson-progress';
import '../../ui/controls.css';

export function mount(element: HTMLElement): void {
  const { page, course } = context();
  void loadEnrollment(course);
  if (page === 'course') {
    markItems();
    mountInto(element, <CourseProgress />);
    return;
  }
  mountInto(element, <LessonProgress />);
}
