// The name as it will stand on certificates: the learner confirms it once.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
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
  const now = known.value;
  if (!now) return null;
  const confirm = async () => take(await ask(api.PUT('/api/me/certificate-name', { body: { name: typed.value } })));
  return (
    <details class="new" open={!now.confirmed_at}>
      <summary>{t('ui.app.wallet.name')}</summary>
      <p>{t('ui.app.wallet.name_about')}</p>
      {now.confirmed_at && (
        <p>
          <strong>
            <bdi>{now.name}</bdi>
          </strong>{' '}
          <span class="small">{t('ui.app.wallet.name_since', { Date: formatDate(now.confirmed_at) })}</span>
        </p>
      )}
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
      </Form>
    </details>
  );
}
