import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, forNobody } from '../../api/client';
import { signedIn } from '../../api/me';
import { t } from '../../i18n/words';
import { list, type Person } from '../../offline/people';
import { place } from '../../router';
import { faultOf, Form } from '../../ui/form';
import { Field } from '../../ui/field';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { arrive } from './arrive';
import { Unlock, Who } from './who';

/** Where nobody is known to this device: the password. Else first who it is, and their PIN. */
export default function SignIn() {
  const people = useSignal<readonly Person[] | undefined>(undefined);
  const chosen = useSignal<Person | undefined>(undefined);
  // Whoever is at it already has been sent here for the password.
  const byPassword = useSignal(!!signedIn());
  const forgot = useSignal(false);
  useEffect(() => {
    void list()
      .catch(() => [])
      .then((all) => (people.value = all));
  }, [people]);
  const all = people.value;
  if (!all) return <p class="loading">{t('ui.loading')}</p>;
  const back = () => {
    chosen.value = undefined;
    byPassword.value = forgot.value = false;
  };
  if (byPassword.value || !all.length) {
    return <PasswordSignIn forgot={forgot.value} onBack={all.length && !signedIn() ? back : undefined} />;
  }
  if (chosen.value) return <Unlock person={chosen.value} onBack={back} onForgot={() => (byPassword.value = forgot.value = true)} />;
  return <Who people={all} onChoose={(person) => (person ? (chosen.value = person) : (byPassword.value = true))} />;
}

function PasswordSignIn({ forgot, onBack }: { forgot: boolean; onBack: (() => void) | undefined }) {
  const task = useTask();
  const here = signedIn();
  const username = useSignal(here?.username ?? '');
  const password = useSignal('');
  const signIn = async () => {
    const body = { username: username.value.trim().toLowerCase(), password: password.value };
    await arrive(await ask(api.POST('/api/sessions', { body, headers: forNobody })), password.value);
  };
  return (
    <div class="narrow">
      {forgot && <Notice>{t('ui.device.forgot_about')}</Notice>}
      {here?.away && <Notice>{t('ui.device.away')}</Notice>}
      <Form task={task} submit={t('ui.sign_in')} onSubmit={signIn}>
        <Field
          label={t('ui.app.username')}
          value={username.value}
          onValue={(value) => (username.value = value)}
          autoComplete="username"
          autoCapitalize="none"
          spellcheck={false}
          required
          maxLength={32}
          dir="ltr"
          fault={faultOf(task, 'username')}
        />
        <Field
          label={t('ui.app.password')}
          type="password"
          value={password.value}
          onValue={(value) => (password.value = value)}
          autoComplete="current-password"
          required
          maxLength={200}
          dir="ltr"
          fault={faultOf(task, 'password')}
        />
      </Form>
      <p class="below">
        {onBack ? (
          <button type="button" class="button quiet" onClick={onBack}>
            {t('ui.device.back')}
          </button>
        ) : (
          <>
            {t('ui.app.sign_in.no_account')} <a href={`/app/sign-up${place.value.search}`}>{t('ui.sign_up')}</a>
          </>
        )}
      </p>
    </div>
  );
}
