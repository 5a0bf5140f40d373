import words from 'virtual:words/lab';
import { context, itemData } from '../../context';
import { loadWords } from '../../i18n/words';
import { loadEnrollment } from '../../learner/enrollment';
import { mountInto } from '../../ui/mount';
import type { Lab } from './lab';
import { LabView } from './lab-view';
import '../../ui/controls.css';
import './lab.css';

export function mount(element: HTMLElement): void {
  void loadEnrollment(context().course);
  void loadWords(context().locale, words).then(() => {
    mountInto(element, <LabView lab={itemData<Lab>()} />);
    // Beside the desk the task scrolls in its own box, which the keyboard must reach.
    const task = document.querySelector<HTMLElement>('.lab-task');
    if (task && matchMedia('(min-width: 70rem)').matches) task.tabIndex = 0;
  });
}
