// After the first sign-in on a device: whose it is. Only then it keeps anything that needs no network to be opened.
import { useSignal } from '@preact/signals';
import { loadMe, signedIn } from '../../api/me';
import { t } from '../../i18n/words';
import { nextPath } from '../../next';
import { canLock } from '../../offline/people/pin';
import { register, visit } from '../../offline/people/register';
import { place } from '../../router';
import { Form } from '../../ui/form';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { settle } from './arrive';
import { deviceName } from './device';
import { NewPINFields, useNewPIN } from './new-pin';
import { initials } from './who';

const kinds = ['own', 'shared', 'public'] as const;
type Kind = (typeof kinds)[number];

export default function DeviceScreen() {
  const task = useTask();
  const kind = useSignal<Kind | ''>('');
  const short = useSignal(false);
  const pin = useNewPIN();
  const person = signedIn();
  if (!person) return null;
  if (!canLock()) {
    return (
      <>
        <Notice>{t('ui.device.no_https')}</Notice>
        <a class="button" href={nextPath(place.value.search)}>
          {t('ui.device.go_on')}
        </a>
      </>
    );
  }
  const save = async () => {
    const chosen = kind.value;
    if (!chosen) return;
    if (chosen === 'public') await visit(person);
    else {
      const given = chosen === 'own' && !pin.pin.value && !pin.again.value ? undefined : pin.take();
      if (given === undefined && (chosen === 'shared' || pin.fault.value)) return;
      const name = short.value ? initials(person.display_name) : person.display_name;
      await register(person, { kind: chosen, name, ...(given === undefined ? {} : { pin: given }) }, deviceName());
    }
    await loadMe(true);
    settle(signedIn() ?? person);
  };
  return (
    <div class="narrow">
      <p>{t('ui.device.whose_about')}</p>
      <Form task={task} submit={t('ui.device.go_on')} onSubmit={save}>
        <fieldset class="boxes">
          <legend>{t('ui.device.whose')}</legend>
          {kinds.map((one) => (
            <label key={one}>
              <input type="radio" name="kind" required checked={kind.value === one} onChange={() => (kind.value = one)} />
              <span>
                {t(`ui.device.${one}`)}
                <small>{t(`ui.device.${one}_about`)}</small>
              </span>
            </label>
          ))}
        </fieldset>
        {(kind.value === 'own' || kind.value === 'shared') && (
          <>
            <NewPINFields of={pin} />
            {kind.value === 'own' && !pin.pin.value && <Notice>{t('ui.device.no_pin')}</Notice>}
            <fieldset class="boxes">
              <label>
                <input type="checkbox" checked={short.value} onChange={() => (short.value = !short.value)} />
                <span>{t('ui.device.initials', { Name: initials(person.display_name) })}</span>
              </label>
            </fieldset>
          </>
        )}
      </Form>
    </div>
  );
}
