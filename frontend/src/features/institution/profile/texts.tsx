import { locale, locales, spokenIn } from '../../../i18n/words';
import { Field } from '../../../ui/field';
import { nameOf } from '../../../ui/languages';

export type Texts = Record<string, string>;

interface Props {
  legend: string;
  value: Texts;
  onValue: (value: Texts) => void;
  fault: (tag: string) => string | undefined;
  maxLength?: number;
}

/** One text in each language of the interface, and in those that it has besides. */
export function TextsField({ legend, value, onValue, fault, maxLength = 120 }: Props) {
  const tags = [locale(), ...locales().filter((one) => one !== locale())];
  for (const tag of Object.keys(value)) if (!tags.includes(tag)) tags.push(tag);
  return (
    <fieldset class="texts">
      <legend>{legend}</legend>
      {tags.map((tag) => (
        <Field
          key={tag}
          label={nameOf(tag)}
          labelLang={tag === locale() ? undefined : tag}
          value={value[tag] ?? ''}
          onValue={(text) => onValue({ ...value, [tag]: text })}
          maxLength={maxLength}
          {...spokenIn(tag === locale() ? undefined : tag)}
          dir="auto"
          fault={fault(tag)}
        />
      ))}
    </fieldset>
  );
}
