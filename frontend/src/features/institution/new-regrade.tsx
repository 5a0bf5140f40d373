import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { formatNumber, t } from '../../i18n/words';
import { uuidv7 } from '../../offline/uuidv7';
import { Form } from '../../ui/form';
import { said, type CourseText } from '../../ui/said';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import type { Regrade, Wish } from './regrades';

interface Props {
  institution: string;
  wish: Wish;
  onStarted: (regrade: Regrade) => void;
}

type Course = Schemas['CourseVersion'];

/** Asks which lab to grade again. Only courses with a second version have one. */
export function NewRegrade({ institution, wish, onStarted }: Props) {
  const task = useTask();
  const heading = useRef<HTMLHeadingElement>(null);
  const courses = useSignal<readonly Schemas['CourseSummary'][] | undefined>(undefined);
  const course = useSignal<Course | undefined>(undefined);
  const lab = useSignal('');
  const from = useSignal('');
  const to = useSignal('');
  const choose = async (id: string) => {
    const found = await ask(api.GET('/api/courses/{course_id}', { params: { path: { course_id: id } } }));
    course.value = found;
    const labs = labsOf(found);
    lab.value = labs.find((item) => item.id === wish.lab)?.id ?? labs[0]?.id ?? '';
    from.value = '';
    to.value = String(found.number);
  };
  useEffect(() => {
    void task.run(async () => {
      const { items } = await ask(api.GET('/api/courses', { params: { query: { limit: 200 } } }));
      courses.value = items.filter(({ number, labs }) => number > 1 && labs > 0);
      const first = courses.value.find(({ course_id: id }) => id === wish.course) ?? courses.value[0];
      if (first) await choose(first.course_id);
    });
    if (wish.course) heading.current?.focus();
  }, []);
  const start = async () => {
    if (!course.value) return;
    const body = {
      id: uuidv7(),
      course_id: course.value.course_id,
      lab_id: lab.value,
      to: Number(to.value),
      ...(from.value && { from: Number(from.value) }),
    };
    const params = { path: { institution_id: institution } };
    onStarted(await ask(api.POST('/api/institutions/{institution_id}/regrades', { params, body })));
  };
  const now = course.value;
  const versions = Array.from({ length: now?.number ?? 0 }, (_, i) => String(i + 1)).reverse();
  return (
    <section aria-labelledby="new-regrade">
      <h3 id="new-regrade" ref={heading} tabIndex={-1}>
        {t('ui.app.regrade.new')}
      </h3>
      <p>{t('ui.app.regrade.about')}</p>
      {courses.value?.length === 0 && <div class="empty">{t('ui.app.regrade.no_versions')}</div>}
      {(now ?? (courses.value && courses.value.length > 0)) && (
        <Form task={task} submit={t('ui.app.regrade.start')} onSubmit={start}>
          <Select
            label={t('ui.app.regrade.course')}
            value={now?.course_id ?? ''}
            options={(courses.value ?? []).map((one) => named(one.course_id, { text: one.title, langs: one.title_lang, source: one.source_locale }))}
            onValue={(id) => void task.run(() => choose(id))}
          />
          <Select
            label={t('ui.app.regrade.lab')}
            value={lab.value}
            options={labsOf(now).map((item) => named(item.id, { text: item.title, langs: item.title_lang, source: now?.source_locale ?? '' }))}
            onValue={(id) => (lab.value = id)}
          />
          <Select
            label={t('ui.app.regrade.from')}
            value={from.value}
            options={[['', t('ui.app.regrade.every_other')], ...versions.filter((one) => one !== to.value).map(version)]}
            onValue={(number) => (from.value = number)}
          />
          <Select
            label={t('ui.app.regrade.to')}
            value={to.value}
            options={versions.map(version)}
            onValue={(number) => {
              to.value = number;
              if (from.value === number) from.value = '';
            }}
          />
        </Form>
      )}
    </section>
  );
}

function version(number: string): [string, string] {
  return [number, t('ui.app.regrade.version', { Number: formatNumber(Number(number)) })];
}

function named(id: string, of: CourseText): readonly [string, string, string | undefined] {
  const { text, lang } = said(of);
  return [id, text, lang];
}

function labsOf(course: Course | undefined) {
  return (course?.modules ?? []).flatMap(({ items }) => items).filter(({ kind }) => kind === 'lab');
}
