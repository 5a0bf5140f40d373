// The name as it will stand on certificates: the learner confirms it once.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';

type Name = Schemas['CertificateName'];

export function CertificateName() {
  const known = useSignal<Name | undefined>(undefined);
  const typed = useSignal('');
  const task = useTask();
  const take = (name: Name) => {
    known.value = name;
    typed.value = name.name;
  };
  // Without the network nothing can be confirmed, and the rest of the page says that it is away.
  useEffect(() => void ask(api.GET('/api/me/certificate-name')).then(take, () => undefined), []);
  const saved = useSignal(false);
  // It is open for who has to confirm; then it stays as the learner leaves it.
  const first = useRef<boolean | undefined>(undefined);
  const now = known.value;
  if (!now) return null;
  first.current ??= !now.confirmed_at;
  const confirm = async () => {
    saved.value = false;
    take(await ask(api.PUT('/api/me/certificate-name', { body: { name: typed.value } })));
    saved.value = true;
  };
  return (
    <details class="new" open={first.current}>
      <summary>{t('ui.app.wallet.name')}</summary>
      <p>{t('ui.app.wallet.name_about')}</p>
      <p class="name-preview">
        <strong>
          <bdi>{typed.value}</bdi>
        </strong>
        {now.confirmed_at && typed.value === now.name && <span class="small">{t('ui.app.wallet.name_since', { Date: formatDate(now.confirmed_at) })}</span>}
      </p>
      <Form task={task} submit={t('ui.app.wallet.name_confirm')} onSubmit={confirm}>
        <Field
          label={t('ui.app.wallet.name_field')}
          value={typed.value}
          onValue={(value) => (typed.value = value)}
          required
          maxLength={80}
          dir="auto"
          autoComplete="name"
          fault={faultOf(task, 'name')}
        />
        {saved.value && typed.value === now.name && (
          <Notice kind="good">
            <p>{t('ui.app.wallet.name_saved')}</p>
          </Notice>
        )}
      </Form>
    </details>
  );
}
