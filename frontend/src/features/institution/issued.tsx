import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, locale, spokenIn, t } from '../../i18n/words';
import { Form } from '../../ui/form';
import { Field } from '../../ui/field';
import { List, usePages } from '../../ui/pages';
import { ReasonField } from '../../ui/reason-field';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { rolesIn } from './roles';

type Credential = Schemas['Credential'];
type Standing = '' | 'suspended' | 'revoked';
type Act = 'suspension' | 'reinstatement' | 'revocation';

/** What the institution has issued. Whoever checks a certificate reads why it was suspended or revoked. */
export function Issued({ institution }: { institution: string }) {
  const search = useSignal('');
  const standing = useSignal<Standing>('');
  const pages = usePages<Credential>((cursor) =>
    ask(
      api.GET('/api/institutions/{institution_id}/credentials', {
        params: {
          path: { institution_id: institution },
          query: { cursor, ...(search.value.trim() && { search: search.value.trim() }), ...(standing.value && { standing: standing.value }) },
        },
      }),
    ),
  );
  const held = rolesIn(institution);
  const may = held.has('issuer') || held.has('admin');
  return (
    <>
      <form
        class="form filter"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void pages.reload();
        }}
      >
        <Field
          label={t('ui.app.issued.search')}
          hint={t('ui.app.issued.search_hint')}
          type="search"
          maxLength={120}
          dir="auto"
          value={search.value}
          onValue={(value) => (search.value = value)}
        />
        <Select
          label={t('ui.app.awards.show')}
          value={standing.value}
          options={[
            ['', t('ui.app.issued.all')],
            ['suspended', t('ui.app.standing.suspended')],
            ['revoked', t('ui.app.standing.revoked')],
          ]}
          onValue={(value) => {
            standing.value = value as Standing;
            void pages.reload();
          }}
        />
        <button type="submit" class="button quiet">
          {t('ui.app.issued.find')}
        </button>
      </form>
      <List of={pages} empty={<p>{t(search.value || standing.value ? 'ui.app.issued.none_such' : 'ui.app.issued.none')}</p>}>
        {(credential) => <Row key={`${credential.id} ${credential.standing}`} credential={credential} may={may} onChanged={() => void pages.reload()} />}
      </List>
    </>
  );
}

function Row({ credential, may, onChanged }: { credential: Credential; may: boolean; onChanged: () => void }) {
  const asking = useSignal<Act | ''>('');
  const { id, name, standing } = credential;
  const acts: Act[] = credential.revoked_at ? [] : [credential.suspended_at ? 'reinstatement' : 'suspension', 'revocation'];
  const why = credential.revoked_reason ?? credential.suspended_reason;
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
        {why && <span class="small">{why}</span>}
      </span>
      <span class="buttons">
        <a class="button quiet" href={`/${locale()}/verify/${id}`}>
          {t('ui.app.certificates.view')}
          <span class="unseen"> {name}</span>
        </a>
        {may &&
          acts.map((act) => (
            <button
              key={act}
              type="button"
              class={`button quiet${act === 'reinstatement' ? '' : ' danger'}`}
              aria-expanded={asking.value === act}
              onClick={() => (asking.value = asking.value === act ? '' : act)}
            >
              {t(`ui.app.issued.act.${act}`)}
              <span class="unseen"> {name}</span>
            </button>
          ))}
      </span>
      {asking.value && <Change key={asking.value} id={id} act={asking.value} onChanged={onChanged} />}
    </li>
  );
}

function Change({ id, act, onChanged }: { id: string; act: Act; onChanged: () => void }) {
  const task = useTask();
  const reason = useSignal('');
  const change = async () => {
    const params = { path: { credential_id: id } };
    const body = { reason: reason.value.trim() };
    switch (act) {
      case 'suspension':
        await ask(api.PUT('/api/credentials/{credential_id}/suspension', { params, body }));
        break;
      case 'reinstatement':
        await ask(api.PUT('/api/credentials/{credential_id}/reinstatement', { params, body }));
        break;
      case 'revocation':
        await ask(api.PUT('/api/credentials/{credential_id}/revocation', { params, body }));
    }
    onChanged();
  };
  return (
    <Form task={task} submit={t(`ui.app.issued.do.${act}`)} onSubmit={change}>
      <ReasonField label={t('ui.app.issued.reason')} reason={reason} task={task} hint={t(act === 'reinstatement' ? 'ui.app.issued.reason_log' : 'ui.app.issued.reason_hint')} />
    </Form>
  );
}
