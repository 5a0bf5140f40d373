import { useId } from 'preact/hooks';
import type { InputHTMLAttributes } from 'preact';
import { spokenIn } from '../i18n/words';

interface Props extends Omit<InputHTMLAttributes<HTMLInputElement>, 'onInput' | 'label'> {
  label: string;
  /** The language of the label, where it is not the page's. */
  labelLang?: string | undefined;
  hint?: string;
  fault?: string | undefined;
  onValue: (value: string) => void;
}

/** A labelled field; its hint and its fault are tied to it for those who do not see them. */
export function Field({ label, labelLang, hint, fault, onValue, ...input }: Props) {
  const id = useId();
  const about = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{labelLang ? <span {...spokenIn(labelLang)}>{label}</span> : label}</label>
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
