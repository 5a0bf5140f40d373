import { context, itemData } from '../../context';
import { loadEnrollment } from '../../learner/enrollment';
import { mountInto } from '../../ui/mount';
import type { Lab } from './lab';
import { LabView } from './lab-view';
import '../../ui/controls.css';
import './lab.css';

export function mount(element: HTMLElement): void {
  void loadEnrollment(context().course);
  mountInto(element, <LabView lab={itemData<Lab>()} />);
}
