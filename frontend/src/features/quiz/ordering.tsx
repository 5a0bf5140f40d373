import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { formatNumber, spokenIn } from '../../i18n/words';
import { sentence } from '../../ui/sentence';
import type { AnswerProps } from './question-view';

/** A list to bring into order with buttons that a thumb and a keyboard can reach. Each move is said aloud. */
export function Ordering({ question, attempt, label, fixed }: AnswerProps) {
  const said = useSignal<{ id: string; to: number } | undefined>(undefined);
  const list = useRef<HTMLOListElement>(null);
  const pressed = useRef('');
  const order = attempt.orderOf(question);
  const text = (id: string) => {
    const option = question.options?.find((one) => one.id === id);
    return <bdi {...spokenIn(option?.lang)}>{option?.text}</bdi>;
  };

  // Moving a node takes the focus away from the button inside it.
  useEffect(() => {
    if (pressed.current) list.current?.querySelector<HTMLElement>(`[data-move="${pressed.current}"]`)?.focus();
    pressed.current = '';
  }, [order.join()]);

  const move = (id: string, by: -1 | 1) => {
    const from = order.indexOf(id);
    const to = from + by;
    if (to < 0 || to >= order.length) return;
    const next = order.filter((other) => other !== id);
    next.splice(to, 0, id);
    pressed.current = `${id}${by}`;
    attempt.answer(question, next);
    said.value = { id, to };
  };

  return (
    <>
      <ol class="ordering" aria-labelledby={label} ref={list}>
        {order.map((id, i) => (
          <li key={id}>
            <span class="ordering-number" aria-hidden="true">
              {formatNumber(i + 1)}
            </span>
            <span class="ordering-text">{text(id)}</span>
            {!fixed && (
              <span class="ordering-moves">
                <Move id={id} by={-1} off={i === 0} name={sentence('ui.quiz.up', {}, { Text: text(id) })} move={move} />
                <Move id={id} by={1} off={i === order.length - 1} name={sentence('ui.quiz.down', {}, { Text: text(id) })} move={move} />
              </span>
            )}
          </li>
        ))}
      </ol>
      <p class="unseen" aria-live="polite">
        {said.value && sentence('ui.quiz.moved', { Number: said.value.to + 1, Total: order.length }, { Text: text(said.value.id) })}
      </p>
    </>
  );
}

interface MoveProps {
  id: string;
  by: -1 | 1;
  off: boolean;
  name: ComponentChildren;
  move: (id: string, by: -1 | 1) => void;
}

function Move({ id, by, off, name, move }: MoveProps) {
  return (
    <button type="button" class={`move ${by < 0 ? 'up' : 'down'}`} data-move={`${id}${by}`} aria-disabled={off} onClick={() => move(id, by)}>
      <span class="unseen">{name}</span>
    </button>
  );
}
