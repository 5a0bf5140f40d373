import { useSignal, type Signal } from '@preact/signals';
import { t } from '../../i18n/words';
import { leastPIN, mostPIN } from '../../offline/people/pin';
import { Field } from '../../ui/field';

export interface NewPIN {
  pin: Signal<string>;
  again: Signal<string>;
  fault: Signal<'' | 'short' | 'differ'>;
  /** The PIN, when both are the same and long enough; else says what is wrong. */
  take(): string | undefined;
}

export function useNewPIN(): NewPIN {
  const pin = useSignal('');
  const again = useSignal('');
  const fault = useSignal<'' | 'short' | 'differ'>('');
  return {
    pin,
    again,
    fault,
    take() {
      fault.value = Array.from(pin.value).length < leastPIN ? 'short' : pin.value === again.value ? '' : 'differ';
      return fault.value ? undefined : pin.value;
    },
  };
}

/** A PIN, twice. `another`: in the place of one that there is. */
export function NewPINFields({ of: { pin, again, fault }, another = false }: { of: NewPIN; another?: boolean }) {
  const rest = { type: 'password', autoComplete: 'new-password', maxLength: mostPIN, dir: 'ltr', spellcheck: false } as const;
  return (
    <>
      <Field
        label={t(another ? 'ui.device.other_pin' : 'ui.device.new_pin')}
        hint={t('ui.device.new_pin_hint')}
        value={pin.value}
        onValue={(value) => (pin.value = value)}
        fault={fault.value === 'short' ? t('ui.device.short') : undefined}
        {...rest}
      />
      <Field
        label={t('ui.device.again')}
        value={again.value}
        onValue={(value) => (again.value = value)}
        fault={fault.value === 'differ' ? t('ui.device.differ') : undefined}
        {...rest}
      />
    </>
  );
}
