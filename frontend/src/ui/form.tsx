import type { ComponentChildren } from 'preact';
import { Problem } from '../api/problem';
import { Trouble } from './notice';
import type { Task } from './task';

interface Props {
  task: Task;
  submit: string;
  /** What it does is not undone. */
  danger?: boolean;
  onSubmit: () => Promise<void>;
  /** What the form itself says of what went wrong: null where a field says it, undefined where it has nothing to say. */
  tell?: (cause: unknown) => ComponentChildren;
  children: ComponentChildren;
}

/** A form that sends itself once at a time and says above its button what went wrong. */
export function Form({ task, submit, danger = false, onSubmit, tell, children }: Props) {
  const cause = task.trouble.value;
  const told = cause ? tell?.(cause) : null;
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run(onSubmit);
      }}
    >
      {children}
      {told === undefined ? <Trouble cause={cause} /> : told}
      <button type="submit" class={`button wide${danger ? ' danger' : ''}`} aria-disabled={task.busy.value}>
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
