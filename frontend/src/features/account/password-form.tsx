import { useSignal } from '@preact/signals';
import { api, ask } from '../../api/client';
import { signedIn } from '../../api/me';
import { t } from '../../i18n/words';
import { NewPasswordField } from '../../ui/account-fields';
import { faultOf, Form } from '../../ui/form';
import { Field } from '../../ui/field';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';

export function PasswordForm() {
  const task = useTask();
  const current = useSignal('');
  const fresh = useSignal('');
  const changed = useSignal(false);
  const change = async () => {
    changed.value = false;
    await ask(api.PUT('/api/me/password', { body: { current: current.value, new: fresh.value } }));
    current.value = fresh.value = '';
    changed.value = true;
  };
  return (
    <section aria-labelledby="password">
      <h2 id="password">{t('ui.app.account.password')}</h2>
      <p>{t('ui.app.account.password_about')}</p>
      <Form task={task} submit={t('ui.app.account.change_password')} onSubmit={change}>
        {/* Password managers look for whose password this is. */}
        <input type="text" autoComplete="username" value={signedIn()?.username} readOnly hidden />
        <Field
          label={t('ui.app.account.current_password')}
          type="password"
          value={current.value}
          onValue={(value) => (current.value = value)}
          autoComplete="current-password"
          required
          maxLength={200}
          dir="ltr"
          fault={faultOf(task, 'current')}
        />
        <NewPasswordField label={t('ui.app.account.new_password')} value={fresh.value} onValue={(value) => (fresh.value = value)} fault={faultOf(task, 'new')} />
        {changed.value && <Notice kind="good">{t('ui.app.account.password_changed')}</Notice>}
      </Form>
    </section>
  );
}
