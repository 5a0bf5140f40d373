// Links by which a learner shows one certificate, until the learner or a date ends them.
import { useComputed, useSignal, type Signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { uuidv7 } from '../../offline/uuidv7';
import { ConfirmButton } from '../../ui/confirm-button';
import { Form } from '../../ui/form';
import { Trouble } from '../../ui/notice';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';

export type Share = Schemas['Share'];
/** Whose links: of a certificate of here, or of one that was imported. */
export type Shown = { credential_id: string } | { imported_id: string };

const days = [7, 30, 365];

interface Props {
  of: Shown;
  achievement: string;
  /** All links of the learner; undefined while they are not known. */
  all: Signal<readonly Share[] | undefined>;
}

export function Shares({ of, achievement, all }: Props) {
  const task = useTask();
  const named = useSignal(true);
  const lasts = useSignal('30');
  const copied = useSignal('');
  // The link that was just made gets the focus, so that it is seen, read and can be copied.
  const fresh = useSignal('');
  const title = useRef<HTMLElement>(null);
  const own = useComputed(() =>
    (all.value ?? []).filter((one) => one.live && ('credential_id' in of ? one.credential_id === of.credential_id : one.imported_id === of.imported_id)),
  );
  if (!all.value) return null;
  const create = async () => {
    const count = Number(lasts.value);
    const ends = count ? { ends_at: new Date(Date.now() + count * 86_400_000).toISOString() } : {};
    const made = await ask(api.POST('/api/wallet/shares', { body: { id: uuidv7(), ...of, named: named.value, ...ends } }));
    fresh.value = made.id;
    all.value = [made, ...(all.value ?? [])];
  };
  const end = async (id: string) => {
    await ask(api.DELETE('/api/wallet/shares/{share_id}', { params: { path: { share_id: id } } }));
    all.value = (all.value ?? []).map((one) => (one.id === id ? { ...one, live: false } : one));
    title.current?.focus();
  };
  const copy = async ({ id, url }: Share) => {
    copied.value = '';
    try {
      await navigator.clipboard.writeText(url);
    } catch {
      // Without https, or where the browser says no: the old way, and else it is at least selected.
      document.getElementById(`link-${id}`)?.focus();
      if (!document.execCommand('copy')) return;
    }
    copied.value = id;
  };
  return (
    <details class="new">
      <summary ref={title}>
        {t('ui.app.wallet.share')}
        <span class="unseen"> {achievement}</span>
      </summary>
      <p class="small">{t('ui.app.wallet.share_about')}</p>
      {own.value.map((share) => (
        <div key={share.id} class="field">
          <input
            type="text"
            readOnly
            dir="ltr"
            id={`link-${share.id}`}
            ref={(input) => {
              if (!input || fresh.value !== share.id) return;
              fresh.value = '';
              input.focus();
            }}
            value={share.url}
            aria-label={t('ui.app.wallet.share_link')}
            onFocus={(event) => event.currentTarget.select()}
          />
          <small>
            {t(share.named ? 'ui.app.wallet.share_named' : 'ui.app.wallet.share_nameless')}{' '}
            {share.ends_at ? t('ui.app.wallet.share_until', { Date: formatDate(share.ends_at) }) : t('ui.app.wallet.share_open')}
          </small>
          <span class="buttons">
            <button type="button" class="button quiet" onClick={() => void task.run(() => copy(share))}>
              {t(copied.value === share.id ? 'ui.app.wallet.share_copied' : 'ui.app.wallet.share_copy')}
            </button>
            <ConfirmButton ask={t('ui.app.wallet.share_end')} sure={t('ui.app.wallet.share_end_sure')} onConfirm={() => void task.run(() => end(share.id))} />
          </span>
        </div>
      ))}
      {task.trouble.value && own.value.length > 0 ? <Trouble cause={task.trouble.value} /> : null}
      <Form task={task} submit={t('ui.app.wallet.share_make')} onSubmit={create}>
        <p class="boxes">
          <label>
            <input type="checkbox" checked={named.value} onChange={(event) => (named.value = event.currentTarget.checked)} />
            <span>{t('ui.app.wallet.share_with_name')}</span>
          </label>
        </p>
        <Select
          label={t('ui.app.wallet.share_lasts')}
          value={lasts.value}
          options={[...days.map((count) => [String(count), t('ui.app.days', { Count: count })] as const), ['0', t('ui.app.wallet.share_open')] as const]}
          onValue={(value) => (lasts.value = value)}
        />
      </Form>
    </details>
  );
}
