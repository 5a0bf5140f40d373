import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import words from 'virtual:words/verify';
import { signedIn } from '../../api/me';
import { formatNumber, loadWords, locale, t } from '../../i18n/words';
import { BundleError } from '../../offline/bundle/fault';
import { check, type Report } from '../../offline/credential/check';
import { fetchCircles, fetchTrust, institutionsOf, knownIssuers, takeTrust } from '../../offline/credential/trust';
import { part } from '../../offline/missing';
import { keepShell, shell } from '../../sw/bridge';
import { Notice, Trouble } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { NotFetched } from './not-fetched';
import { Camera } from './verify-camera';
import { NothingFound, readFile } from './verify-picture';
import { VerifyReport } from './verify-report';
import './verify.css';

const recent = 10 * 60_000;

/** Checks certificates on this device, for anybody, with or without a network. */
export default function Verify() {
  const ready = useSignal(false);
  const report = useSignal<{ found: Report; at: number } | undefined>(undefined);
  const known = useSignal<number | undefined>(undefined);
  const camera = useSignal(false);
  const text = useSignal('');
  const task = useTask();
  const top = useRef<HTMLDivElement>(null);
  // Whom the institutions of who is signed in trust counts for them.
  const mine = () => knownIssuers(signedIn()?.id);
  const count = () => mine().then(({ issuers }) => (known.value = issuers.size));
  useEffect(() => {
    void task.run(async () => {
      await part(loadWords(locale(), words));
      ready.value = true;
    });
    // What is known already counts until more is here.
    void count();
    void fetchTrust(recent).then(count, () => undefined);
  }, []);
  const who = signedIn();
  useEffect(() => {
    if (!who) return void count();
    void (who.local ? Promise.resolve() : fetchCircles(who.id, institutionsOf(who), recent)).then(count, () => undefined);
  }, [who?.id]);
  useEffect(() => {
    if (report.value) top.current?.focus();
  }, [report.value]);
  if (!ready.value) return task.trouble.value ? <NotFetched cause={task.trouble.value} /> : <p class="loading">{t('ui.loading')}</p>;

  const look = (find: () => Promise<string>) => {
    camera.value = false;
    return task.run(async () => {
      report.value = undefined;
      const at = Date.now();
      report.value = { found: await check(await find(), at, await mine()), at };
    });
  };
  const take = (file: File | undefined) => {
    if (file) void look(() => readFile(file));
  };
  const trouble = task.trouble.value;
  return (
    <div
      class="narrow verify-screen"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        take(event.dataTransfer?.files[0]);
      }}
    >
      <div ref={top} tabIndex={-1}>
        {report.value && (
          <>
            <VerifyReport report={report.value.found} now={report.value.at} />
            <p class="buttons">
              <button type="button" class="button" onClick={() => (report.value = undefined)}>
                {t('ui.verify.again')}
              </button>
            </p>
          </>
        )}
      </div>
      {!report.value && (
        <>
          <p class="lead">{t('ui.verify.lead')}</p>
          {trouble instanceof NothingFound ? (
            <Notice kind="bad">
              <p>{t(`ui.verify.${trouble.why}`)}</p>
            </Notice>
          ) : trouble ? (
            <NotFetched cause={trouble} />
          ) : null}
          {camera.value ? (
            <Camera onText={(found) => void look(() => Promise.resolve(found))} onTrouble={(cause) => void look(() => Promise.reject(cause))} stop={() => (camera.value = false)} />
          ) : (
            <p class="buttons">
              <button type="button" class="button" onClick={() => (camera.value = true)}>
                {t('ui.verify.camera')}
              </button>
            </p>
          )}
          <p class="field">
            <label>
              {t('ui.verify.file')}
              <input
                type="file"
                accept="image/*,.json,.jwt,.txt,application/json"
                aria-describedby="verify-file-hint"
                onChange={(event) => {
                  const file = event.currentTarget.files?.[0];
                  event.currentTarget.value = '';
                  take(file);
                }}
              />
            </label>
            <small id="verify-file-hint">
              {t('ui.verify.file.hint')}
            </small>
          </p>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              const given = text.value;
              if (given.trim()) void look(() => Promise.resolve(given));
            }}
          >
            <p class="field">
              <label>
                {t('ui.verify.text')}
                <textarea dir="ltr" rows={4} spellcheck={false} autocapitalize="off" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
              </label>
            </p>
            <p class="buttons">
              <button type="submit" class="button" aria-disabled={task.busy.value}>
                {t('ui.verify.check')}
              </button>
            </p>
          </form>
        </>
      )}
      <Ready known={known.value} count={count} />
    </div>
  );
}

/** What this device is prepared for: the institutions that it knows, and whether the page itself is here. */
function Ready({ known, count }: { known: number | undefined; count: () => Promise<number> }) {
  const lacking = useSignal<number | undefined>(undefined);
  const said = useSignal<'taken' | 'strangers' | 'broken' | undefined>(undefined);
  const task = useTask();
  const look = () =>
    shell(locale()).then(
      ({ whole, bytes }) => (lacking.value = whole ? 0 : bytes),
      () => undefined,
    );
  useEffect(() => void look(), []);
  const take = (file: File) =>
    task.run(async () => {
      said.value = undefined;
      try {
        const { publishers } = await takeTrust(file.stream() as ReadableStream<Uint8Array>, 'file');
        said.value = publishers.length ? 'taken' : 'strangers';
        await count();
      } catch (cause) {
        if (!(cause instanceof BundleError)) throw cause;
        said.value = 'broken';
      }
    });
  const size = Math.max(1, Math.round((lacking.value ?? 0) / 1000));
  return (
    <section class="verify-ready">
      {known !== undefined && <p>{known ? t('ui.verify.known', { Count: known }) : t('ui.verify.known.none')}</p>}
      {lacking.value === 0 && <p>{t('ui.verify.kept')}</p>}
      {!!lacking.value && (
        <p class="buttons">
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void task.run(() => keepShell(locale()).then(() => void look()))}>
            {t('ui.verify.keep', { Size: formatNumber(size, { style: 'unit', unit: 'kilobyte' }) })}
          </button>
        </p>
      )}
      <p class="field">
        <label>
          {t('ui.verify.list')}
          <input
            type="file"
            accept=".banyan,.trust,application/octet-stream"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              event.currentTarget.value = '';
              if (file) void take(file);
            }}
          />
        </label>
      </p>
      {said.value && (
        <Notice kind={said.value === 'taken' ? 'good' : 'bad'}>
          <p>{t(`ui.verify.list.${said.value}`)}</p>
        </Notice>
      )}
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </section>
  );
}
