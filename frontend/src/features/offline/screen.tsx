import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import words from 'virtual:words/offline';
import { changes } from '../../offline/bundle/progress';
import { forgetPrevious, remove } from '../../offline/bundle/collect';
import type { Shelved } from '../../offline/bundle/library';
import { list } from '../../offline/bundle/shelf';
import { loadWords, locale, spokenIn, t } from '../../i18n/words';
import { OutboxNotes } from '../../learner/outbox-notes';
import { ConfirmButton } from '../../ui/confirm-button';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { online } from './connection';
import { follow } from './course';
import { FromFile } from './from-file';
import { Coming, Gone } from './keep';
import { Search } from './search';
import { size } from './size';
import { ask, kept, look, room } from './storage';
import { titleOf } from './title';
import { Stopped } from './trouble';
import { Carry, Work } from './work';
import './offline.css';

/** What is on this device: courses, room, and what came on other ways than the network. */
export default function Offline() {
  const ready = useSignal(false);
  const rows = useSignal<readonly Shelved[] | undefined>(undefined);
  useEffect(() => void loadWords(locale(), words).then(() => (ready.value = true)), []);
  useEffect(() => {
    void list().then(
      (found) => (rows.value = found),
      () => (rows.value = []),
    );
    void look();
  }, [changes.value]);
  if (!ready.value || !rows.value) return <p class="loading">{t('ui.loading')}</p>;
  return (
    <>
      {!online.value && <Notice><p>{t('ui.offline.away')}</p></Notice>}
      <OutboxNotes />
      {rows.value.length === 0 ? (
        <div class="empty">
          <p>{t('ui.offline.none')}</p>
          <a class="button" href={`/${locale()}/`}>
            {t('ui.app.courses.find')}
          </a>
        </div>
      ) : (
        <>
          <Search />
          <ul class="cards course-cards">
            {rows.value.map((row) => (
              <Course key={row.course} row={row} />
            ))}
          </ul>
        </>
      )}
      <FromFile />
      <Work />
      <Carry />
      <Space />
    </>
  );
}

function Course({ row: { course, installed, candidate } }: { row: Shelved }) {
  const it = useMemo(() => follow(course), [course]);
  useEffect(() => it.close, [it]);
  const title = useSignal<{ text: string; lang?: string }>({ text: course });
  const task = useTask();
  useEffect(() => {
    void titleOf(course, installed?.rule.locales).then(
      (found) => (title.value = found),
      () => undefined,
    );
  }, [course, installed?.digest]);
  const row = it.row.value;
  const here = row?.installed;
  const used = it.room.value;
  const name = <span {...spokenIn(title.value.lang)}>{title.value.text}</span>;
  return (
    <li class="card">
      <div>
        <h2>{name}</h2>
        {here && <p>{t('ui.offline.version', { Number: here.number, Size: size(used?.installed ?? 0) })}</p>}
        {!here && candidate && <p>{t('ui.offline.coming', { Size: size(used?.arriving ?? 0) })}</p>}
        <Gone it={it} />
        {row?.downloads && <Coming it={it} course={course} />}
        {it.trouble.value && !it.held.value ? <Stopped cause={it.trouble.value} /> : null}
        {task.trouble.value ? <Stopped cause={task.trouble.value} /> : null}
      </div>
      <p class="buttons">
        {here && (
          <a class="button" href={`/${locale()}/courses/${course}`}>
            {t('ui.offline.open')}
            <span class="unseen"> {name}</span>
          </a>
        )}
        {here && online.value && (
          <a
            class="button quiet"
            download
            href={`/bundles/${course}@${here.number}/${course}.banyan?${new URLSearchParams([...here.rule.locales.map((one) => ['locale', one]), ['tier', here.rule.tier]]).toString()}`}
          >
            {t('ui.offline.save')}
          </a>
        )}
        {row?.previous && used && used.previous > 0 && (
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void task.run(() => forgetPrevious(course))}>
            {t('ui.offline.free', { Number: row.previous.number, Size: size(used.previous) })}
          </button>
        )}
        {row?.previous && (
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void task.run(it.back)}>
            {t('ui.offline.back', { Number: row.previous.number })}
          </button>
        )}
        <ConfirmButton danger ask={t('ui.offline.remove', { Size: size(used?.frees ?? 0) })} sure={t('ui.offline.remove.sure')} about={title.value.text} onConfirm={() => void task.run(() => remove(course))} />
      </p>
    </li>
  );
}

/** What the browser gives, and what it promises. */
function Space() {
  const asked = useSignal(false);
  if (!room.value) return null;
  return (
    <section>
      <h2>{t('ui.offline.room')}</h2>
      <p>{t('ui.offline.room.used', { Used: size(room.value.used), Quota: size(room.value.quota) })}</p>
      {kept.value === true && <p class="tick">{t('ui.offline.persist.yes')}</p>}
      {kept.value === false && (
        <>
          <p class="hint">{t('ui.offline.persist.why')}</p>
          {asked.value ? (
            <p role="status">{t('ui.offline.persist.no')}</p>
          ) : (
            <p class="buttons">
              <button type="button" class="button quiet" onClick={() => void ask().then(() => (asked.value = true))}>
                {t('ui.offline.persist')}
              </button>
            </p>
          )}
        </>
      )}
    </section>
  );
}
