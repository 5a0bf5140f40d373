import { api, ask, type Schemas } from '../../api/client';
import { locale, t } from '../../i18n/words';
import { OutboxNotes } from '../../learner/outbox-notes';
import { Bar } from '../../ui/bar';
import { Trouble } from '../../ui/notice';
import { usePages } from '../../ui/pages';
import { Said } from '../../ui/said';
import { useTask } from '../../ui/task';
import { coursePage, nextItem } from './next-item';

type Enrollment = Schemas['Enrollment'];

export default function MyCourses() {
  const pages = usePages<Enrollment>((cursor) => ask(api.GET('/api/enrollments', { params: { query: { cursor } } })));
  const items = pages.items.value;
  return (
    <>
      <OutboxNotes />
      {!items && !pages.trouble.value && <p class="loading">{t('ui.loading')}</p>}
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
      {pages.trouble.value ? <Trouble cause={pages.trouble.value} retry={() => void pages.reload()} /> : null}
      {pages.next.value && (
        <button type="button" class="button quiet" onClick={() => void pages.more()}>
          {t('ui.app.more')}
        </button>
      )}
    </>
  );
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
        <Bar done={mine.done} total={mine.total} />
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
