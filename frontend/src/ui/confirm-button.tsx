import { useSignal } from '@preact/signals';

interface Props {
  /** What it says first, and what it says when it asks to be sure. */
  ask: string;
  sure: string;
  /** More words for those who do not see what it stands beside. */
  about?: string;
  danger?: boolean;
  onConfirm: () => void;
}

/** A button that wants a second press; looking away takes the first one back. */
export function ConfirmButton({ ask, sure, about, danger = false, onConfirm }: Props) {
  const armed = useSignal(false);
  return (
    <button
      type="button"
      class={`button quiet${danger || armed.value ? ' danger' : ''}`}
      onBlur={() => (armed.value = false)}
      onClick={() => {
        if (armed.value) onConfirm();
        armed.value = !armed.value;
      }}
    >
      {armed.value ? sure : ask}
      {about && <span class="unseen"> {about}</span>}
    </button>
  );
}
