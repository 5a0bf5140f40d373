import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { Schemas } from '../../api/client';
import { publishZip } from '../../api/uploads';
import { Problem } from '../../api/problem';
import { locale, t } from '../../i18n/words';
import { Notice, Trouble } from '../../ui/notice';
import { Said } from '../../ui/said';
import { sentence } from '../../ui/sentence';
import { useTask } from '../../ui/task';

/** Publishes a course from a zip. Every fault comes with its file, line and cure. */
export function Publish({ institution }: { institution: string }) {
  const task = useTask();
  const id = useId();
  const file = useSignal<File | undefined>(undefined);
  const published = useSignal<Schemas['CourseVersion'] | undefined>(undefined);
  const publish = async () => {
    published.value = undefined;
    if (file.value) published.value = await publishZip(institution, file.value);
  };
  return (
    <>
      <p>{t('ui.app.publish.about')}</p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void task.run(publish);
        }}
      >
        <div class="field">
          <label for={id}>{t('ui.app.publish.file')}</label>
          <input
            id={id}
            type="file"
            required
            accept=".zip,application/zip"
            onChange={(event) => (file.value = event.currentTarget.files?.[0])}
          />
        </div>
        <button type="submit" class="button wide" aria-disabled={task.busy.value}>
          {t(task.busy.value ? 'ui.app.publish.busy' : 'ui.app.publish.publish')}
        </button>
      </form>
      <Faults cause={task.trouble.value} />
      {published.value && <Published version={published.value} />}
    </>
  );
}

function Published({ version }: { version: Schemas['CourseVersion'] }) {
  const { course_id: course, number, title, title_lang: langs, source_locale: source, advice } = version;
  return (
    <Notice kind="good">
      <p>{sentence('ui.app.publish.done', { Number: number }, { Course: <Said of={{ text: title, langs, source }} /> })}</p>
      <p>
        <a href={`/${locale()}/courses/${course}@${number}`}>{t('ui.app.publish.open')}</a>
      </p>
      {advice && advice.length > 0 && (
        <>
          <p>{t('ui.app.publish.advice')}</p>
          <Places list={advice} />
        </>
      )}
    </Notice>
  );
}

function Faults({ cause }: { cause: unknown }) {
  if (!cause) return null;
  if (!(cause instanceof Problem) || !cause.errors.some(({ file }) => file)) return <Trouble cause={cause} />;
  return (
    <Notice kind="bad">
      <p>{cause.message}</p>
      <p>{t('ui.app.publish.faults', { Count: cause.errors.length })}</p>
      <Places list={cause.errors} />
    </Notice>
  );
}

/** Places in the course's files, each with what is wrong there and its cure. */
function Places({ list }: { list: Schemas['ProblemDetail'][] }) {
  return (
    <ul class="faults">
      {list.map((place) => (
        <li>
          <code>{place.line ? `${place.file}:${place.line}` : place.file}</code> {place.detail}
        </li>
      ))}
    </ul>
  );
}
