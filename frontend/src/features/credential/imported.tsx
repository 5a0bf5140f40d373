// Certificates that were earned elsewhere: taken in as a file or as text, checked, and kept with what the check found out.
import { useSignal, type Signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { signedIn } from '../../api/me';
import { Problem, Unreached } from '../../api/problem';
import { formatDate, t } from '../../i18n/words';
import { recall, remember } from '../../offline/kept';
import { part } from '../../offline/missing';
import type { Imports } from '../../offline/sync';
import { ConfirmButton } from '../../ui/confirm-button';
import { Form } from '../../ui/form';
import { Notice, Trouble } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { NotFetched } from './not-fetched';
import { saveAs } from './save';
import { Shares, type Share } from './shares';
import { Worth } from './worth';

type Imported = Schemas['ImportedCredential'];

/** The most that a file may hold; the server takes no more. */
const most = 256 * 1024;

export function ImportedCertificates({ shares }: { shares: Signal<readonly Share[] | undefined> }) {
  const items = useSignal<readonly Imported[] | undefined>(undefined);
  const away = useSignal(false);
  const trouble = useSignal<unknown>(undefined);
  const user = signedIn()?.id ?? '';
  const take = (list: readonly Imported[]) => {
    items.value = list;
    void remember(user, 'imports', { at: Date.now(), items: [...list] } satisfies Imports).catch(() => undefined);
  };
  const load = async () => {
    trouble.value = undefined;
    away.value = false;
    try {
      take((await ask(api.GET('/api/wallet/imports'))).items);
    } catch (cause) {
      const kept = cause instanceof Unreached ? await recall<Imports>(user, 'imports') : undefined;
      if (kept) items.value = kept.items;
      else trouble.value = cause;
      away.value = true;
    }
  };
  useEffect(() => void load(), []);
  const takeIn = (one: Imported): boolean => {
    const others = (items.value ?? []).filter(({ id }) => id !== one.id);
    const known = others.length !== items.value?.length;
    take([...others, one]);
    return known;
  };
  return (
    <section aria-labelledby="elsewhere">
      <h2 id="elsewhere" tabIndex={-1}>{t('ui.app.wallet.elsewhere')}</h2>
      <p>{t('ui.app.wallet.elsewhere_about')}</p>
      {items.value && items.value.length > 0 && (
        <ul class="rows">
          {items.value.map((one) => (
            <Row key={one.id} one={one} away={away.value} items={items} take={take} shares={shares} />
          ))}
        </ul>
      )}
      {trouble.value ? <Trouble cause={trouble.value} retry={() => void load()} /> : null}
      {!away.value && items.value && <TakeIn onTaken={takeIn} />}
    </section>
  );
}

interface RowProps {
  one: Imported;
  away: boolean;
  items: Signal<readonly Imported[] | undefined>;
  take: (list: readonly Imported[]) => void;
  shares: Signal<readonly Share[] | undefined>;
}

function Row({ one, away, items, take, shares }: RowProps) {
  const task = useTask();
  const { id, claims, report, standing } = one;
  const achievement = claims?.achievement ?? t('ui.app.wallet.untitled');
  const params = { path: { imported_id: id } };
  const check = async () => {
    const now = await ask(api.POST('/api/wallet/imports/{imported_id}/check', { params }));
    take((items.value ?? []).map((other) => (other.id === id ? now : other)));
  };
  const remove = async () => {
    await ask(api.DELETE('/api/wallet/imports/{imported_id}', { params }));
    take((items.value ?? []).filter((other) => other.id !== id));
    document.getElementById('elsewhere')?.focus();
  };
  // It has no page at a server that could print it.
  const paper = useTask();
  const Paper = useSignal<ComponentType<{ one: Imported }> | undefined>(undefined);
  const print = async () => {
    if (Paper.value) return void (Paper.value = undefined);
    const found: { default: ComponentType<{ one: Imported }> } = await part(import('./imported-paper'));
    Paper.value = found.default;
  };
  const save = () => saveAs(`${id}.${one.format === 'jwt' ? 'jwt' : 'json'}`, one.document);
  return (
    <li>
      <span class="row-what">
        <strong>
          <bdi lang={claims?.language} dir="auto">
            {achievement}
          </bdi>
        </strong>
        <span class="small">
          <bdi>{claims?.issuer_name ?? claims?.issuer}</bdi>
        </span>
        {claims?.name && (
          <span class="small">
            <bdi>{claims.name}</bdi>
          </span>
        )}
        <span class="standing-chip">
          <span class={`chip ${standing}`}>{report.title}</span>
        </span>
        {[...report.reasons, ...report.notes].map((reason) => (
          <span class="small" key={reason.code}>
            {reason.detail}
          </span>
        ))}
        <Worth of={report.recognitions} />
        <span class="small">{t('ui.app.wallet.checked', { Date: formatDate(report.checked_at, true) })}</span>
        {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      </span>
      <span class="buttons">
        {!away && (
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void task.run(check)}>
            {t('ui.app.wallet.check')}
            <span class="unseen"> {achievement}</span>
          </button>
        )}
        <button type="button" class="button quiet" onClick={save}>
          {t('ui.app.certificates.download')}
          <span class="unseen"> {achievement}</span>
        </button>
        <button type="button" class="button quiet" aria-expanded={!!Paper.value} onClick={() => void paper.run(print)}>
          {t('ui.app.certificates.print')}
          <span class="unseen"> {achievement}</span>
        </button>
        {!away && (
          <ConfirmButton ask={t('ui.app.wallet.remove')} sure={t('ui.app.wallet.remove_sure')} about={achievement} danger onConfirm={() => void task.run(remove)} />
        )}
      </span>
      {paper.trouble.value ? <NotFetched cause={paper.trouble.value} /> : null}
      {Paper.value && (
        <div class="code-view">
          <Paper.value one={one} />
        </div>
      )}
      {!away && <Shares of={{ imported_id: id }} achievement={achievement} all={shares} />}
    </li>
  );
}

/** `onTaken` says whether it was there before. */
function TakeIn({ onTaken }: { onTaken: (one: Imported) => boolean }) {
  const task = useTask();
  const text = useSignal('');
  const said = useSignal<{ text: string; kind: 'good' | 'plain' } | undefined>(undefined);
  const send = async (body: Schemas['NewImport']) => {
    said.value = undefined;
    try {
      const one = await ask(api.POST('/api/wallet/imports', { body }));
      const name = { Name: one.claims?.achievement ?? t('ui.app.wallet.untitled') };
      said.value = onTaken(one) ? { text: t('ui.app.wallet.known', name), kind: 'plain' } : { text: t('ui.app.wallet.imported', name), kind: 'good' };
    } catch (cause) {
      // No fault of anybody: it stands further up on this page.
      if (!(cause instanceof Problem) || cause.code !== 'wallet.own') throw cause;
      said.value = { text: cause.message, kind: 'plain' };
    }
    text.value = '';
  };
  const file = async (input: HTMLInputElement) => {
    const [chosen] = Array.from(input.files ?? []);
    if (!chosen) return;
    await task.run(async () => {
      // Larger ones are sent cut: the server says that they are too large.
      await send({ file: await base64(chosen.slice(0, most + 1)) });
    });
    input.value = '';
  };
  return (
    <details class="new">
      <summary>{t('ui.app.wallet.import')}</summary>
      <Form task={task} submit={t('ui.app.wallet.import_do')} onSubmit={() => send({ text: text.value.trim() })}>
        <div class="field">
          <label for="import-file">{t('ui.app.wallet.import_file')}</label>
          <input id="import-file" type="file" accept=".json,.jwt,.png,.svg,application/json,image/png,image/svg+xml" onChange={(event) => void file(event.currentTarget)} />
        </div>
        <div class="field">
          <label for="import-text">{t('ui.app.wallet.import_text')}</label>
          <textarea id="import-text" dir="ltr" rows={4} maxLength={most} value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
        </div>
        {said.value && (
          <Notice kind={said.value.kind}>
            <p>{said.value.text}</p>
          </Notice>
        )}
      </Form>
    </details>
  );
}

function base64(file: Blob): Promise<string> {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).replace(/^[^,]*,/, ''));
    reader.onerror = () => fail(reader.error ?? new Error('not read'));
    reader.readAsDataURL(file);
  });
}
