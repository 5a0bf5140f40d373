import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, locale, spokenIn, t } from '../../i18n/words';
import { faultOf, Form } from '../../ui/form';
import { Field } from '../../ui/field';
import { List, usePages } from '../../ui/pages';
import { useTask } from '../../ui/task';
import { rolesIn } from './roles';

type Credential = Schemas['Credential'];

/** What the institution has issued. Revoking needs a reason, which whoever checks the certificate reads. */
export function Issued({ institution }: { institution: string }) {
  const pages = usePages<Credential>((cursor) =>
    ask(
      api.GET('/api/institutions/{institution_id}/credentials', {
        params: { path: { institution_id: institution }, query: { cursor } },
      }),
    ),
  );
  const held = rolesIn(institution);
  const may = held.has('issuer') || held.has('admin');
  return (
    <List of={pages} empty={<p>{t('ui.app.issued.none')}</p>}>
      {(credential) => <Row key={credential.id} credential={credential} may={may} onRevoked={() => void pages.reload()} />}
    </List>
  );
}

function Row({ credential, may, onRevoked }: { credential: Credential; may: boolean; onRevoked: () => void }) {
  const asking = useSignal(false);
  const { id, name, standing } = credential;
  return (
    <li>
      <span class="row-what">
        <strong>
          <bdi>{name}</bdi>
        </strong>
        <span class="small">
          <bdi {...spokenIn(credential.achievement_lang)}>{credential.achievement}</bdi>
        </span>
        <span class="small">{formatDate(credential.issued_at)}</span>
        <span>
          <span class={`chip ${standing}`}>{t(`ui.app.standing.${standing}`)}</span>
        </span>
        {credential.revoked_reason && <span class="small">{credential.revoked_reason}</span>}
      </span>
      <span class="buttons">
        <a class="button quiet" href={`/${locale()}/verify/${id}`}>
          {t('ui.app.certificates.view')}
          <span class="unseen"> {name}</span>
        </a>
        {may && !credential.revoked_at && (
          <button
            type="button"
            class="button quiet danger"
            aria-expanded={asking.value}
            onClick={() => (asking.value = !asking.value)}
          >
            {t('ui.app.issued.revoke')}
            <span class="unseen"> {name}</span>
          </button>
        )}
      </span>
      {asking.value && <Revoke id={id} onRevoked={onRevoked} />}
    </li>
  );
}

function Revoke({ id, onRevoked }: { id: string; onRevoked: () => void }) {
  const task = useTask();
  const reason = useSignal('');
  const revoke = async () => {
    const params = { path: { credential_id: id } };
    await ask(api.PUT('/api/credentials/{credential_id}/revocation', { params, body: { reason: reason.value.trim() } }));
    onRevoked();
  };
  return (
    <Form task={task} submit={t('ui.app.issued.revoke_now')} onSubmit={revoke}>
      <Field
        label={t('ui.app.issued.reason')}
        hint={t('ui.app.issued.reason_hint')}
        value={reason.value}
        onValue={(value) => (reason.value = value)}
        required
        maxLength={500}
        dir="auto"
        fault={faultOf(task, 'reason')}
      />
    </Form>
  );
}
