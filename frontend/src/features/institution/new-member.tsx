import { useSignal } from '@preact/signals';
import { api, ask } from '../../api/client';
import { locale, t } from '../../i18n/words';
import { NameField, NewPasswordField, UsernameField } from '../../ui/account-fields';
import { faultOf, Form } from '../../ui/form';
import { Notice } from '../../ui/notice';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { roles, type Role } from './roles';

/** Makes an account for somebody, who then signs in with what they are told. */
export function NewMember({ institution, onCreated }: { institution: string; onCreated: () => void }) {
  const task = useTask();
  const name = useSignal('');
  const username = useSignal('');
  const password = useSignal('');
  const role = useSignal<Role>('learner');
  const made = useSignal('');
  const create = async () => {
    made.value = '';
    const body = {
      username: username.value.trim().toLowerCase(),
      display_name: name.value.trim(),
      password: password.value,
      locale: locale(),
      role: role.value,
    };
    const member = await ask(
      api.POST('/api/institutions/{institution_id}/members', { params: { path: { institution_id: institution } }, body }),
    );
    made.value = member.display_name;
    name.value = username.value = password.value = '';
    onCreated();
  };
  return (
    <section aria-labelledby="new-member">
      <h3 id="new-member">{t('ui.app.members.new')}</h3>
      <p>{t('ui.app.members.new_about')}</p>
      <Form task={task} submit={t('ui.app.members.create')} onSubmit={create}>
        <NameField forOther label={t('ui.app.members.name')} value={name.value} onValue={(value) => (name.value = value)} fault={faultOf(task, 'display_name')} />
        <UsernameField forOther value={username.value} onValue={(value) => (username.value = value)} fault={faultOf(task, 'username')} />
        <NewPasswordField forOther label={t('ui.app.members.first_password')} value={password.value} onValue={(value) => (password.value = value)} fault={faultOf(task, 'password')} />
        <Select
          label={t('ui.app.members.role')}
          value={role.value}
          options={roles.map((one) => [one, t(`ui.app.role.${one}`)] as const)}
          onValue={(value) => (role.value = value as Role)}
        />
        {made.value && <Notice kind="good">{t('ui.app.members.created', { Name: made.value })}</Notice>}
      </Form>
    </section>
  );
}
