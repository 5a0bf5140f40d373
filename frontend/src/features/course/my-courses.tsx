import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, askAll, type Schemas } from '../../api/client';
import { signedIn } from '../../api/me';
import { Unreached } from '../../api/problem';
import { locale, t } from '../../i18n/words';
import { OutboxNotes } from '../../learner/outbox-notes';
import { loadSyncWords, SyncState } from '../../learner/sync-state';
import { enrollments } from '../../offline/history';
import { acknowledged, fetched, waiting } from '../../offline/outbox';
import { Bar } from '../../ui/bar';
import { Notice, Trouble } from '../../ui/notice';
import { Said } from '../../ui/said';
import { useTask } from '../../ui/task';
import { coursePage, nextItem } from './next-item';

type Enrollment = Schemas['Enrollment'];

const patience = 3000;
const ready = loadSyncWords(locale());

export default function MyCourses() {
  const { items, trouble, away, reload } = useCourses();
  return (
    <>
      <OutboxNotes />
      {!items && !trouble && <p class="loading">{t('ui.loading')}</p>}
      {away && items && <Notice>{t('ui.sync.away')}</Notice>}
      {items?.length === 0 && (
        <div class="empty">
          <p>{t('ui.app.courses.none')}</p>
          <a class="button" href={`/${locale()}/`}>
            {t('ui.app.courses.find')}
          </a>
        </div>
      )}
      {items && items.length > 0 && (
        <ul class="cards course-cards">
          {items.map((mine) => (
            <CourseCard key={mine.id} mine={mine} />
          ))}
        </ul>
      )}
      {trouble ? <Trouble cause={trouble} retry={reload} /> : null}
      {items && waiting.value.length === 0 && <SyncState whole />}
    </>
  );
}

/** The learner's courses: from the server, and what this device knows of them, the more of both. */
function useCourses() {
  const told = useSignal<Enrollment[] | undefined>(undefined);
  const items = useSignal<Enrollment[] | undefined>(undefined);
  const trouble = useSignal<unknown>(undefined);
  const away = useSignal(false);
  const user = signedIn()?.id ?? '';
  const count = async () => {
    await ready.catch(() => undefined);
    const known = await enrollments(user).catch(() => []);
    items.value = together(told.value, known);
  };
  const load = async () => {
    trouble.value = undefined;
    // A server that takes its time keeps nobody from what this device knows.
    const slow = setTimeout(() => void count(), patience);
    try {
      told.value = await askAll((cursor) => ask(api.GET('/api/enrollments', { params: { query: { cursor } } })));
      away.value = false;
    } catch (cause) {
      away.value = cause instanceof Unreached;
      if (!away.value) trouble.value = cause;
    } finally {
      clearTimeout(slow);
      await count();
    }
  };
  useEffect(() => void load(), [user]);
  useEffect(() => {
    if (items.value) void count();
  }, [fetched.value, waiting.value, acknowledged.value]);
  return { items: items.value, trouble: trouble.value, away: away.value, reload: () => void load() };
}

function together(told: readonly Enrollment[] | undefined, known: readonly Enrollment[]): Enrollment[] {
  if (!told) return [...known];
  const all = told.map((one) => {
    const here = known.find(({ id }) => id === one.id);
    return here ? { ...one, done: Math.min(one.total, Math.max(one.done, here.done)) } : one;
  });
  // Joined here, and not with the server yet.
  return [...all, ...known.filter((one) => !one.version_id && !all.some(({ course_id }) => course_id === one.course_id))];
}

function CourseCard({ mine }: { mine: Enrollment }) {
  const task = useTask();
  const title = <Said of={{ text: mine.title, langs: mine.title_lang, source: mine.source_locale }} />;
  const goOn = () =>
    task.run(async () => {
      location.assign(await nextItem(mine, locale()));
    });
  return (
    <li class="card">
      <div>
        <h2>{title}</h2>
        {mine.total > 0 && <Bar done={mine.done} total={mine.total} />}
        {!mine.version_id && <p class="small">{t('ui.app.courses.joined_here')}</p>}
        {mine.completed && <p class="tick">{t('ui.app.courses.completed')}</p>}
        {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      </div>
      <p class="buttons">
        {!mine.completed && (
          <button type="button" class="button" aria-disabled={task.busy.value} onClick={() => void goOn()}>
            {t(mine.done > 0 ? 'ui.progress.go_on' : 'ui.progress.begin')}
            <span class="unseen"> {title}</span>
          </button>
        )}
        {mine.completed && (
          <a class="button" href="/app/certificates">
            {t('ui.progress.to_certificate')}
          </a>
        )}
        <a class="button quiet" href={coursePage(mine, locale())}>
          {t('ui.app.courses.overview')}
          <span class="unseen"> {title}</span>
        </a>
      </p>
    </li>
  );
}
