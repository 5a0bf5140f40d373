import { useSignal } from '@preact/signals';
import { api, ask } from '../../api/client';
import { t } from '../../i18n/words';
import { place } from '../../router';
import { faultOf, Form } from '../../ui/form';
import { Field } from '../../ui/field';
import { useTask } from '../../ui/task';
import { arrive } from './arrive';

export default function SignIn() {
  const task = useTask();
  const username = useSignal('');
  const password = useSignal('');
  const signIn = async () => {
    const body = { username: username.value.trim().toLowerCase(), password: password.value };
    arrive(await ask(api.POST('/api/sessions', { body })));
  };
  return (
    <div class="narrow">
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
        {t('ui.app.sign_in.no_account')} <a href={`/app/sign-up${place.value.search}`}>{t('ui.sign_up')}</a>
      </p>
    </div>
  );
}
