// What an account is made of, with the bounds that the server sets (User and Password in openapi.yaml).
import { t } from '../i18n/words';
import { Field } from './field';

interface Props {
  value: string;
  onValue: (value: string) => void;
  fault?: string | undefined;
  /** Who fills it in for somebody else is offered nothing of their own, and reads what they write. */
  forOther?: boolean;
  label?: string;
}

/** The name by which a person goes. */
export function NameField({ forOther, label = t('ui.app.display_name'), ...field }: Props) {
  const own = forOther ? {} : { hint: t('ui.app.display_name_hint') };
  return <Field label={label} {...own} {...field} autoComplete={forOther ? 'off' : 'name'} required maxLength={80} dir="auto" />;
}

export function UsernameField({ forOther, label = t('ui.app.username'), ...field }: Props) {
  return (
    <Field
      label={label}
      hint={t('ui.app.username_hint')}
      {...field}
      autoComplete={forOther ? 'off' : 'username'}
      autoCapitalize="none"
      spellcheck={false}
      required
      minLength={3}
      maxLength={32}
      dir="ltr"
    />
  );
}

/** A password that is chosen now. */
export function NewPasswordField({ forOther, label = t('ui.app.password'), ...field }: Props) {
  return (
    <Field
      label={label}
      hint={t('ui.app.password_hint')}
      type={forOther ? 'text' : 'password'}
      {...field}
      autoComplete={forOther ? 'off' : 'new-password'}
      autoCapitalize="none"
      required
      minLength={8}
      maxLength={200}
      dir="ltr"
    />
  );
}
