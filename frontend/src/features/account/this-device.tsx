// What this device has of the learner: how it is locked, and the way to leave it.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { me, signedIn } from '../../api/me';
import { formatDate, t } from '../../i18n/words';
import { disk } from '../../offline/db';
import { find, type Grant, type Person } from '../../offline/people';
import { changePIN, dropPIN, Wait, WrongPIN } from '../../offline/people/pin';
import { addPIN, removePerson, unsent } from '../../offline/people/register';
import { ConfirmButton } from '../../ui/confirm-button';
import { Field } from '../../ui/field';
import { Form } from '../../ui/form';
import { Notice, Trouble } from '../../ui/notice';
import { useTask, type Task } from '../../ui/task';
import { NewPINFields, useNewPIN } from './new-pin';

interface Here {
  person: Person | undefined;
  lease: string | undefined;
  unsent: number;
}

export function ThisDevice() {
  const here = useSignal<Here | undefined>(undefined);
  const user = signedIn()?.id ?? '';
  const look = async () => {
    const [person, grant, count] = await Promise.all([find(user), disk.find<Grant>('devices', user), unsent(user)]);
    here.value = { person, lease: grant?.lease_until, unsent: count };
  };
  useEffect(() => void look().catch(() => (here.value = { person: undefined, lease: undefined, unsent: 0 })), []);
  const now = here.value;
  if (!now) return null;
  const { person } = now;
  return (
    <section aria-labelledby="this-device">
      <h2 id="this-device" tabIndex={-1}>{t('ui.device.title')}</h2>
      {!person && (
        <>
          <p>{t('ui.device.unknown')}</p>
          <a class="button quiet" href="/app/device?next=/app/account">
            {t('ui.device.set_up')}
          </a>
        </>
      )}
      {person?.kind === 'public' && <p>{t('ui.device.public_about')}</p>}
      {person && person.kind !== 'public' && (
        <>
          {person.locked ? <p>{t('ui.device.sealed')}</p> : <Notice>{t('ui.device.no_pin')}</Notice>}
          {now.lease && <p class="small">{t('ui.device.lease', { Date: formatDate(now.lease) })}</p>}
          {person.locked ? <ChangePIN user={user} onDone={look} /> : <AddPIN user={user} onDone={look} />}
          {person.locked && <DropPIN user={user} digits={person.locked.digits} onDone={look} />}
        </>
      )}
      {person && <Remove user={user} count={now.unsent} />}
    </section>
  );
}

interface Props {
  user: string;
  onDone: () => Promise<void>;
}

function AddPIN({ user, onDone }: Props) {
  const task = useTask();
  const pin = useNewPIN();
  const save = async () => {
    const given = pin.take();
    if (given === undefined) return;
    await addPIN(user, given);
    await onDone();
  };
  return (
    <details class="new">
      <summary>{t('ui.device.add_pin')}</summary>
      <Form task={task} submit={t('ui.device.add_pin')} onSubmit={save}>
        <NewPINFields of={pin} />
      </Form>
    </details>
  );
}

/** A wrong PIN stands beside its field; that the next try must wait is no fault. */
function ofPIN(cause: unknown) {
  if (cause instanceof Wait) return <Notice>{t('ui.device.wait', { Count: cause.seconds })}</Notice>;
  return cause instanceof WrongPIN ? null : undefined;
}

const wrongPIN = (task: Task) => (task.trouble.value instanceof WrongPIN ? t('ui.device.wrong_pin') : undefined);

function ChangePIN({ user, onDone }: Props) {
  const task = useTask();
  const pin = useNewPIN();
  const old = useSignal('');
  const forgot = useSignal(false);
  const done = useSignal(false);
  const save = async () => {
    done.value = false;
    const given = pin.take();
    if (given === undefined) return;
    await changePIN(user, forgot.value ? { password: old.value } : { pin: old.value }, given);
    old.value = pin.pin.value = pin.again.value = '';
    done.value = true;
    await onDone();
  };
  return (
    <details class="new">
      <summary>{t('ui.device.change_pin')}</summary>
      <Form task={task} submit={t('ui.device.change_pin')} onSubmit={save} tell={ofPIN}>
        <Field
          label={t(forgot.value ? 'ui.app.password' : 'ui.device.old_pin')}
          type="password"
          autoComplete={forgot.value ? 'current-password' : 'off'}
          value={old.value}
          onValue={(value) => (old.value = value)}
          required
          maxLength={200}
          dir="ltr"
          fault={wrongPIN(task)}
        />
        <fieldset class="boxes">
          <label>
            <input type="checkbox" checked={forgot.value} onChange={() => (forgot.value = !forgot.value)} />
            <span>{t('ui.device.i_forgot')}</span>
          </label>
        </fieldset>
        <NewPINFields of={pin} another />
        {done.value && <Notice kind="good">{t('ui.device.pin_set')}</Notice>}
      </Form>
    </details>
  );
}

function DropPIN({ user, digits, onDone }: Props & { digits: boolean }) {
  const task = useTask();
  const pin = useSignal('');
  const drop = async () => {
    try {
      await dropPIN(user, pin.value);
    } finally {
      pin.value = '';
    }
    await onDone();
    // The form is gone: what it did stands where the section begins.
    document.getElementById('this-device')?.focus();
  };
  return (
    <details class="new">
      <summary>{t('ui.device.drop_pin')}</summary>
      <p>{t('ui.device.no_pin')}</p>
      <Form task={task} submit={t('ui.device.drop_pin')} danger onSubmit={drop} tell={ofPIN}>
        <Field
          label={t('ui.device.pin')}
          type="password"
          inputMode={digits ? 'numeric' : 'text'}
          autoComplete="off"
          value={pin.value}
          onValue={(value) => (pin.value = value)}
          required
          maxLength={128}
          dir="ltr"
          fault={wrongPIN(task)}
        />
      </Form>
    </details>
  );
}

function Remove({ user, count }: { user: string; count: number }) {
  const task = useTask();
  const remove = async () => {
    await removePerson(user);
    me.value = null;
    location.assign('/app/sign-in');
  };
  return (
    <details class="new">
      <summary>{t('ui.device.remove')}</summary>
      <p>{t('ui.device.remove_about')}</p>
      {count > 0 && (
        <Notice kind="bad">
          <p>{t('ui.device.unsent', { Count: count })}</p>
          <p>
            <a href="/app/offline">{t('ui.device.unsent_save')}</a>
          </p>
        </Notice>
      )}
      <p>
        <ConfirmButton
          danger
          ask={t(count > 0 ? 'ui.device.remove_anyway' : 'ui.device.remove')}
          sure={t('ui.app.sure')}
          onConfirm={() => void task.run(remove)}
        />
      </p>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </details>
  );
}
