// The end of a member's account, by an admin. What goes and what stays of it stands in docs/privacy.md.
import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { t } from '../../i18n/words';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';

type Reason = Schemas['MemberErasure']['reason'];
const reasons: readonly Reason[] = ['requested', 'left', 'mistake', 'law'];

interface Props {
  institution: string;
  member: Schemas['Member'];
  onErased: () => void;
}

/** It wants a reason and the username, typed: nobody erases a person by a slip. */
export function EraseMember({ institution, member, onErased }: Props) {
  const task = useTask();
  const reason = useSignal<Reason | ''>('');
  const typed = useSignal('');
  const wrong = useSignal<'' | 'reason' | 'name'>('');
  const erase = async () => {
    const why = reason.value;
    wrong.value = !why ? 'reason' : typed.value.trim().toLowerCase() === member.username.toLowerCase() ? '' : 'name';
    if (!why || wrong.value) return;
    const params = { path: { institution_id: institution, user_id: member.user_id } };
    await ask(api.POST('/api/institutions/{institution_id}/members/{user_id}/erasure', { params, body: { reason: why } }));
    onErased();
  };
  return (
    <>
      <p>{t('ui.app.members.erase_goes')}</p>
      <p>{t('ui.app.members.erase_stays')}</p>
      <Form task={task} submit={t('ui.app.members.erase_do')} danger onSubmit={erase}>
        <Select
          label={t('ui.app.members.erase_why')}
          value={reason.value}
          options={[['', t('ui.app.members.erase_choose')] as const, ...reasons.map((one) => [one, t(`ui.app.members.erase_why.${one}`)] as const)]}
          onValue={(value) => (reason.value = value as Reason | '')}
        />
        {wrong.value === 'reason' && (
          <p class="field" role="alert">
            <span class="fault">{t('ui.app.members.erase_choose')}</span>
          </p>
        )}
        <Field
          label={t('ui.app.members.erase_type', { Name: member.username })}
          value={typed.value}
          onValue={(value) => (typed.value = value)}
          maxLength={80}
          dir="ltr"
          autoComplete="off"
          autocapitalize="off"
          spellcheck={false}
          fault={wrong.value === 'name' ? t('ui.app.members.erase_differs') : faultOf(task, 'reason')}
        />
      </Form>
    </>
  );
}
