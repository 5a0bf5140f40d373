import { useId } from 'preact/hooks';
import { spokenIn } from '../i18n/words';

interface Props {
  label: string;
  hint?: string;
  value: string;
  /** `lang` is the language of the name, where it is not the page's. */
  options: readonly (readonly [value: string, name: string, lang?: string | undefined])[];
  onValue: (value: string) => void;
}

export function Select({ label, hint, value, options, onValue }: Props) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} aria-describedby={hint ? `${id}-hint` : undefined} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {options.map(([option, name, lang]) => (
          <option key={option} value={option} {...spokenIn(lang)}>
            {name}
          </option>
        ))}
      </select>
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}
