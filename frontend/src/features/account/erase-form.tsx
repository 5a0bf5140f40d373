// The end of the account. What is kept of it, and what goes, stands in docs/privacy.md.
import { useSignal } from '@preact/signals';
import { api, ask } from '../../api/client';
import { me, signedIn } from '../../api/me';
import { t } from '../../i18n/words';
import { removePerson } from '../../offline/people/register';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { useTask } from '../../ui/task';

export function EraseForm() {
  const task = useTask();
  const password = useSignal('');
  const erase = async () => {
    const user = signedIn()?.id ?? '';
    await ask(api.POST('/api/me/erasure', { body: { password: password.value } }));
    // There is nobody any more to whom it could be sent.
    await removePerson(user).catch(() => undefined);
    me.value = null;
    location.assign('/');
  };
  return (
    <section aria-labelledby="erase">
      <h2 id="erase">{t('ui.app.account.erase')}</h2>
      <p>{t('ui.app.account.erase_about')}</p>
      <details class="new">
        <summary>{t('ui.app.account.erase')}</summary>
        <Form task={task} submit={t('ui.app.account.erase_do')} danger onSubmit={erase}>
          <input type="text" autoComplete="username" value={signedIn()?.username} readOnly hidden />
          <Field
            label={t('ui.app.account.current_password')}
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
      </details>
    </section>
  );
}
