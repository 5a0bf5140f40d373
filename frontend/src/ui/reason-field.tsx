import type { Signal } from '@preact/signals';
import { Field } from './field';
import { faultOf } from './form';
import type { Task } from './task';

interface Props {
  label: string;
  /** Who reads it. */
  hint: string;
  reason: Signal<string>;
  task: Task;
}

/** Why something is refused, ended or taken back: nobody does so without a word. */
export function ReasonField({ reason, task, ...field }: Props) {
  return <Field {...field} value={reason.value} onValue={(value) => (reason.value = value)} required maxLength={500} dir="auto" fault={faultOf(task, 'reason')} />;
}
