import { context, itemData } from '../../context';
import { loadEnrollment } from '../../learner/enrollment';
import { mountInto } from '../../ui/mount';
import { withLanguage, type Quiz } from './quiz';
import { QuizView } from './quiz-view';
import '../../ui/controls.css';
import './quiz.css';

export function mount(element: HTMLElement): void {
  void loadEnrollment(context().course);
  mountInto(element, <QuizView quiz={withLanguage(itemData<Quiz>())} />);
}
