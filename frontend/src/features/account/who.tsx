// The learners of this device: each chooses themselves and brings their PIN. It needs no network.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { loadMe, signedIn } from '../../api/me';
import { t } from '../../i18n/words';
import type { Person } from '../../offline/people';
import { find } from '../../offline/people';
import { unlock, Wait, waitLeft, WrongPIN } from '../../offline/people/pin';
import { Field } from '../../ui/field';
import { Notice, Trouble } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { settle } from './arrive';

/** The first letters of a name. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return words.slice(0, 3).map((word) => (Array.from(word)[0] ?? '').toLocaleUpperCase()).join(' ');
}

export function Who({ people, onChoose }: { people: readonly Person[]; onChoose: (person: Person | undefined) => void }) {
  const task = useTask();
  return (
    <>
      <p class="lead">{t('ui.device.who')}</p>
      <ul class="tiles">
        {people.map((person) => (
          <li key={person.user}>
            <button
              type="button"
              class="tile"
              aria-disabled={task.busy.value}
              onClick={() => (person.locked ? onChoose(person) : void task.run(() => enter(person, '')))}
            >
              <span class="face" aria-hidden="true">
                {initials(person.name)}
              </span>
              <bdi>{person.name}</bdi>
              {!person.locked && <span class="small">{t('ui.device.unlocked')}</span>}
            </button>
          </li>
        ))}
      </ul>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      <p class="below">
        <button type="button" class="button quiet" onClick={() => onChoose(undefined)}>
          {t('ui.device.other')}
        </button>
      </p>
    </>
  );
}

async function enter(person: Person, pin: string): Promise<void> {
  await unlock(person.user, pin);
  await loadMe(true);
  const here = signedIn();
  if (here) settle(here);
}

interface Props {
  person: Person;
  onBack: () => void;
  onForgot: () => void;
}

export function Unlock({ person, onBack, onForgot }: Props) {
  const task = useTask();
  const pin = useSignal('');
  const wait = useSignal(waitLeft(person));
  useEffect(() => {
    const timer = setInterval(() => {
      if (wait.value > 0) void find(person.user).then((now) => (wait.value = now ? waitLeft(now) : 0));
    }, 500);
    return () => clearInterval(timer);
  }, [person, wait]);
  const open = async () => {
    try {
      await enter(person, pin.value);
    } catch (cause) {
      pin.value = '';
      if (cause instanceof Wait) wait.value = cause.seconds;
      else if (cause instanceof WrongPIN) wait.value = waitLeft((await find(person.user)) ?? person);
      throw cause;
    }
  };
  const cause = task.trouble.value;
  const wrong = cause instanceof WrongPIN;
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wait.value) void task.run(open);
      }}
    >
      <p class="tile chosen">
        <span class="face" aria-hidden="true">
          {initials(person.name)}
        </span>
        <bdi>{person.name}</bdi>
      </p>
      <Field
        label={t('ui.device.pin')}
        type="password"
        inputMode={person.locked?.digits ? 'numeric' : 'text'}
        autoComplete="off"
        value={pin.value}
        onValue={(value) => (pin.value = value)}
        required
        maxLength={128}
        dir="ltr"
        autoFocus
        fault={wrong ? t('ui.device.wrong_pin') : undefined}
      />
      {wait.value > 0 && <Notice>{t('ui.device.wait', { Count: wait.value })}</Notice>}
      {cause && !wrong && !(cause instanceof Wait) ? <Trouble cause={cause} /> : null}
      <button type="submit" class="button wide" aria-disabled={task.busy.value || wait.value > 0}>
        {t('ui.device.unlock')}
      </button>
      <p class="below buttons">
        <button type="button" class="button quiet" onClick={onForgot}>
          {t('ui.device.forgot')}
        </button>
        <button type="button" class="button quiet" onClick={onBack}>
          {t('ui.device.back')}
        </button>
      </p>
    </form>
  );
}
