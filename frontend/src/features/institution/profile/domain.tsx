import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../../api/client';
import { signedIn } from '../../../api/me';
import { formatDate, t } from '../../../i18n/words';
import { ConfirmButton } from '../../../ui/confirm-button';
import { Field } from '../../../ui/field';
import { faultOf, Form } from '../../../ui/form';
import { Notice, Trouble } from '../../../ui/notice';
import { useTask } from '../../../ui/task';

type Known = Schemas['Domain'];

/** The domain that certificates are issued under: what is claimed, what is proven, and how to prove it. */
export function Domain({ institution }: { institution: string }) {
  const load = useTask();
  const saving = useTask();
  const checking = useTask();
  const vouching = useTask();
  const known = useSignal<Known | undefined>(undefined);
  const wanted = useSignal('');
  const params = { path: { institution_id: institution } };
  const show = (now: Known) => {
    known.value = now;
    wanted.value = now.claim ?? now.domain ?? '';
  };
  const read = () => load.run(async () => show(await ask(api.GET('/api/institutions/{institution_id}/domain', { params }))));
  useEffect(() => void read(), [institution]);
  if (load.trouble.value) return <Trouble cause={load.trouble.value} retry={() => void read()} />;
  const now = known.value;
  if (!now) return <p class="loading">{t('ui.loading')}</p>;
  const save = async () => {
    await ask(api.PATCH('/api/institutions/{institution_id}', { params, body: { domain: wanted.value.trim().toLowerCase() } }));
    show(await ask(api.GET('/api/institutions/{institution_id}/domain', { params })));
  };
  // Who runs the server may vouch for what is wanted and not proven.
  const unproven = now.claim ?? (now.problem && now.domain);
  const vouch = (domain: string) => vouching.run(async () => show(await ask(api.PUT('/api/institutions/{institution_id}/domain', { params, body: { domain } }))));
  return (
    <section class="domain" aria-labelledby="domain">
      <h3 id="domain">{t('ui.app.profile.domain')}</h3>
      <Form task={saving} submit={t('ui.app.domain.save')} onSubmit={save}>
        <Field
          label={t('ui.app.domain.name')}
          hint={t('ui.app.profile.domain_hint')}
          value={wanted.value}
          onValue={(value) => (wanted.value = value)}
          maxLength={253}
          autoCapitalize="none"
          autoComplete="off"
          spellcheck={false}
          dir="ltr"
          fault={faultOf(saving, 'domain')}
        />
      </Form>
      {now.domain && !(now.problem && !now.claim) && (
        <Notice kind="good">
          {t(`ui.app.domain.proven.${now.proof ?? 'dns'}`, { Domain: isolated(now.domain), Date: now.proven_at ? formatDate(now.proven_at) : '' })}
        </Notice>
      )}
      {now.claim && <Notice>{t('ui.app.domain.claimed', { Domain: isolated(now.claim) })}</Notice>}
      {now.detail && <Notice kind="bad">{now.detail}</Notice>}
      {now.domain && now.problem && !now.claim && <p>{t('ui.app.domain.stays')}</p>}
      {now.record && (
        <>
          {(now.claim || now.problem) && (
            <>
              <p>{t('ui.app.domain.how')}</p>
              <dl>
                <dt>{t('ui.app.domain.dns')}</dt>
                <dd>
                  <code dir="ltr">{now.record.name}</code>
                </dd>
                <dt>{t('ui.app.domain.file')}</dt>
                <dd>
                  <code dir="ltr">{now.record.url}</code>
                </dd>
                <dt>{t('ui.app.domain.value')}</dt>
                <dd>
                  <code dir="ltr">{now.record.value}</code>
                </dd>
              </dl>
            </>
          )}
          <Form
            task={checking}
            submit={t('ui.app.domain.check')}
            onSubmit={async () => show(await ask(api.POST('/api/institutions/{institution_id}/domain', { params })))}
          >
            {now.checked_at && <p>{t('ui.app.domain.checked', { Date: formatDate(now.checked_at) })}</p>}
          </Form>
        </>
      )}
      {unproven && signedIn()?.operator && (
        <div class="vouch">
          <p>{t('ui.app.domain.vouch_about', { Domain: isolated(unproven) })}</p>
          {vouching.trouble.value ? <Trouble cause={vouching.trouble.value} /> : null}
          <p>
            <ConfirmButton ask={t('ui.app.domain.vouch')} sure={t('ui.app.domain.vouch_sure')} onConfirm={() => void vouch(unproven)} />
          </p>
        </div>
      )}
    </section>
  );
}

/** A name of a host inside a sentence of either direction. */
function isolated(host: string) {
  return `\u2066${host}\u2069`;
}
