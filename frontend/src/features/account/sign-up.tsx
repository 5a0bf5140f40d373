import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, askAll, forNobody, type Schemas } from '../../api/client';
import { locale, t } from '../../i18n/words';
import { place } from '../../router';
import { NameField, NewPasswordField, UsernameField } from '../../ui/account-fields';
import { faultOf, Form } from '../../ui/form';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { arrive } from './arrive';

export default function SignUp() {
  const task = useTask();
  const username = useSignal('');
  const name = useSignal('');
  const password = useSignal('');
  const institutions = useSignal<Schemas['Institution'][]>([]);
  const institution = useSignal('');
  useEffect(() => {
    const load = askAll((cursor) => ask(api.GET('/api/institutions', { params: { query: { cursor } } })));
    // Without the list the server's first institution is meant.
    void load.then((all) => (institutions.value = all)).catch(() => undefined);
  }, [institutions]);
  const signUp = async () => {
    const body = {
      username: username.value.trim().toLowerCase(),
      display_name: name.value.trim(),
      password: password.value,
      locale: locale(),
      ...(institution.value ? { institution_id: institution.value } : {}),
    };
    await arrive(await ask(api.POST('/api/users', { body, headers: forNobody })), password.value);
  };
  return (
    <div class="narrow">
      <Form task={task} submit={t('ui.sign_up')} onSubmit={signUp}>
        <NameField value={name.value} onValue={(value) => (name.value = value)} fault={faultOf(task, 'display_name')} />
        <UsernameField value={username.value} onValue={(value) => (username.value = value)} fault={faultOf(task, 'username')} />
        <NewPasswordField value={password.value} onValue={(value) => (password.value = value)} fault={faultOf(task, 'password')} />
        {institutions.value.length > 1 && (
          <Select
            label={t('ui.join.institution')}
            value={institution.value || (institutions.value[0]?.id ?? '')}
            options={institutions.value.map(({ id, name: called }) => [id, called] as const)}
            onValue={(value) => (institution.value = value)}
          />
        )}
      </Form>
      <p class="below">
        {t('ui.app.sign_up.have_account')} <a href={`/app/sign-in${place.value.search}`}>{t('ui.sign_in')}</a>
      </p>
    </div>
  );
}
