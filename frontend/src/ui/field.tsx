import { useId } from 'preact/hooks';
import type { InputHTMLAttributes } from 'preact';

interface Props extends Omit<InputHTMLAttributes<HTMLInputElement>, 'onInput' | 'label'> {
  label: string;
  hint?: string;
  fault?: string | undefined;
  onValue: (value: string) => void;
}

/** A labelled field; its hint and its fault are tied to it for those who do not see them. */
export function Field({ label, hint, fault, onValue, ...input }: Props) {
  const id = useId();
  const about = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        type="text"
        {...input}
        id={id}
        aria-invalid={fault ? true : undefined}
        aria-describedby={about || undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint && <small id={`${id}-hint`}>{hint}</small>}
      {fault && (
        <span class="fault" id={`${id}-fault`}>
          {fault}
        </span>
      )}
    </div>
  );
}
