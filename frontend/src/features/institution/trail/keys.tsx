import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../../api/client';
import { formatDate, t } from '../../../i18n/words';
import { uuidv7 } from '../../../offline/uuidv7';
import { ConfirmButton } from '../../../ui/confirm-button';
import { Field } from '../../../ui/field';
import { faultOf, Form } from '../../../ui/form';
import { Notice, Trouble } from '../../../ui/notice';
import { ReasonField } from '../../../ui/reason-field';
import { useTask } from '../../../ui/task';
import { useWatch } from '../../../ui/watch';

type Key = Schemas['Key'];

/** The keys that certificates are and were signed with. */
export function Keys({ institution }: { institution: string }) {
  const load = useTask();
  const rotate = useTask();
  const ring = useSignal<Schemas['KeyRing'] | undefined>(undefined);
  const rotated = useSignal(false);
  const path = { institution_id: institution };
  const keys = '/api/institutions/{institution_id}/keys' as const;
  const look = async () => void (ring.value = await ask(api.GET(keys, { params: { path } })));
  const read = () => load.run(look);
  useEffect(() => void read(), [institution]);
  useWatch(ring.value?.keys.some(renewing) ?? false, look);
  const turn = () =>
    rotate.run(async () => {
      rotated.value = false;
      await ask(api.POST(keys, { params: { path }, body: { id: uuidv7() } }));
      rotated.value = true;
      await read();
    });
  if (load.trouble.value) return <Trouble cause={load.trouble.value} retry={() => void read()} />;
  if (!ring.value) return <p class="loading">{t('ui.loading')}</p>;
  return (
    <>
      <p>{t('ui.app.keys.about')}</p>
      <p>
        {t('ui.app.keys.did')}
        <br />
        <code class="long" dir="ltr">
          {ring.value.did}
        </code>
      </p>
      {ring.value.keys.length === 0 && <div class="empty">{t('ui.app.keys.none')}</div>}
      {ring.value.keys.length > 0 && (
        <ul class="rows">
          {[...ring.value.keys].reverse().map((one) => (
            <Row key={one.id} institution={institution} one={one} onChanged={look} />
          ))}
        </ul>
      )}
      {rotate.trouble.value ? <Trouble cause={rotate.trouble.value} /> : null}
      {rotated.value && <Notice kind="good">{t('ui.app.keys.rotated')}</Notice>}
      <p>
        <ConfirmButton ask={t('ui.app.keys.rotate')} sure={t('ui.app.keys.rotate_sure')} onConfirm={() => void turn()} />
      </p>
    </>
  );
}

/** What the key signed too late is being signed anew. */
const renewing = (one: Key) => Boolean(one.renewal_started_at && !one.renewal_ended_at);

function Row({ institution, one, onChanged }: { institution: string; one: Key; onChanged: () => Promise<void> }) {
  const asking = useSignal(false);
  const state = one.revoked_at ? 'revoked' : one.retired_at ? 'retired' : 'live';
  const [did = '', fragment = ''] = one.method.split('#');
  return (
    <li>
      <span class="row-what">
        <span>
          <span class={`chip ${{ live: 'valid', retired: 'expired', revoked: 'revoked' }[state]}`}>{t(`ui.app.keys.${state}`)}</span>
        </span>
        <code class="long" dir="ltr">
          {fragment}
        </code>
        <code class="long small" dir="ltr">
          {did}
        </code>
        <span class="small">{t('ui.app.keys.made', { Date: formatDate(one.created_at, true) })}</span>
        {one.retired_at && <span class="small">{t('ui.app.keys.until', { Date: formatDate(one.retired_at, true) })}</span>}
        {one.revoked_at && <span class="small">{t('ui.app.keys.revoked_from', { Date: formatDate(one.revoked_at, true) })}</span>}
        {one.revoked_reason && (
          <span class="small">
            <bdi>{one.revoked_reason}</bdi>
          </span>
        )}
        {one.revoked_at && <Renewal institution={institution} one={one} onChanged={onChanged} />}
      </span>
      {!one.revoked_at && (
        <button type="button" class="button quiet danger" aria-expanded={asking.value} onClick={() => (asking.value = !asking.value)}>
          {t('ui.app.keys.revoke')}
          <code class="unseen"> {fragment}</code>
        </button>
      )}
      {asking.value && !one.revoked_at && <Revoke institution={institution} id={one.id} onRevoked={onChanged} />}
    </li>
  );
}

/** The certificates that a revoked key signed too late, and the way to have them signed with the key of now. */
function Renewal({ institution, one, onChanged }: { institution: string; one: Key; onChanged: () => Promise<void> }) {
  const task = useTask();
  const refused = one.refused ?? 0;
  const path = { institution_id: institution, key_id: one.id };
  const renew = () =>
    task.run(async () => {
      await ask(api.PUT('/api/institutions/{institution_id}/keys/{key_id}/renewal', { params: { path } }));
      await onChanged();
    });
  if (renewing(one)) {
    return (
      <span class="small" role="status">
        {t('ui.app.keys.renewing', { Number: refused })}
      </span>
    );
  }
  return (
    <>
      {one.renewal_ended_at && refused === 0 && <span class="small">{t('ui.app.keys.renewed', { Date: formatDate(one.renewal_ended_at, true) })}</span>}
      {refused > 0 && (
        <>
          <span>{t('ui.app.keys.refused', { Count: refused })}</span>
          <span class="small">{t(one.renewal_ended_at ? 'ui.app.keys.renew_left' : 'ui.app.keys.renew_hint')}</span>
          {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
          <span>
            <ConfirmButton ask={t('ui.app.keys.renew')} sure={t('ui.app.keys.renew_sure')} onConfirm={() => void renew()} />
          </span>
        </>
      )}
    </>
  );
}

/** The time as an input of a date and a time wants it, in the clock of the device. */
function asInput(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Revoke({ institution, id, onRevoked }: { institution: string; id: string; onRevoked: () => Promise<void> }) {
  const task = useTask();
  const from = useSignal(asInput(new Date()));
  const reason = useSignal('');
  const revoke = async () => {
    const path = { institution_id: institution, key_id: id };
    const body = { from: new Date(from.value).toISOString(), reason: reason.value.trim() };
    await ask(api.PUT('/api/institutions/{institution_id}/keys/{key_id}/revocation', { params: { path }, body }));
    await onRevoked();
  };
  return (
    <Form task={task} submit={t('ui.app.keys.revoke_now')} onSubmit={revoke}>
      <Field
        type="datetime-local"
        label={t('ui.app.keys.from')}
        hint={t('ui.app.keys.from_hint')}
        value={from.value}
        onValue={(value) => (from.value = value)}
        max={asInput(new Date())}
        required
        dir="ltr"
        fault={faultOf(task, 'from')}
      />
      <ReasonField label={t('ui.app.keys.reason')} reason={reason} task={task} hint={t('ui.app.keys.reason_hint')} />
    </Form>
  );
}
