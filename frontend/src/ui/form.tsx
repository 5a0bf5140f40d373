import type { ComponentChildren } from 'preact';
import { Problem } from '../api/problem';
import { Trouble } from './notice';
import type { Task } from './task';

interface Props {
  task: Task;
  submit: string;
  onSubmit: () => Promise<void>;
  children: ComponentChildren;
}

/** A form that sends itself once at a time and says above its button what went wrong. */
export function Form({ task, submit, onSubmit, children }: Props) {
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run(onSubmit);
      }}
    >
      {children}
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      <button type="submit" class="button wide" aria-disabled={task.busy.value}>
        {submit}
      </button>
    </form>
  );
}

/** What the server found wrong with a field. */
export function faultOf(task: Task, field: string): string | undefined {
  const cause = task.trouble.value;
  return cause instanceof Problem ? cause.field(field) : undefined;
}
