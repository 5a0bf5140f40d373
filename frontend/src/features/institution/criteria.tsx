import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { Notice, Trouble } from '../../ui/notice';
import { Said, said } from '../../ui/said';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { rolesIn } from './roles';
import { levels } from './award-row';
import type { CourseSummary } from './courses';

type Terms = Schemas['CriteriaTerms'];
type Course = Schemas['CourseVersion'];

/** What an institution that has set nothing asks for. */
const nothing: Terms = {
  items: [],
  min_score: 0,
  approval: false,
  confirm_name: false,
  ask_help: false,
  assessment: 'unsupervised',
  months: 0,
  competences: [],
};

/** What the institution asks for its certificates, course by course. */
export function Criteria({ institution }: { institution: string }) {
  const task = useTask();
  const courses = useSignal<readonly CourseSummary[] | undefined>(undefined);
  const set = useSignal<readonly Schemas['Criteria'][]>([]);
  const open = useSignal('');
  const load = async () => {
    const params = { path: { institution_id: institution } };
    const [list, criteria] = await Promise.all([
      ask(api.GET('/api/courses', { params: { query: { limit: 200 } } })),
      ask(api.GET('/api/institutions/{institution_id}/criteria', { params })),
    ]);
    courses.value = list.items;
    set.value = criteria.items;
  };
  useEffect(() => void task.run(load), []);
  const may = rolesIn(institution).has('admin');
  return (
    <>
      <p>{t('ui.app.criteria.about')}</p>
      {task.trouble.value ? <Trouble cause={task.trouble.value} retry={() => void task.run(load)} /> : null}
      {courses.value?.length === 0 && <div class="empty">{t('ui.app.criteria.no_courses')}</div>}
      {courses.value && courses.value.length > 0 && (
        <ul class="rows">
          {courses.value.map((course) => {
            const own = set.value.find(({ course_id: id }) => id === course.course_id);
            const title = { text: course.title, langs: course.title_lang, source: course.source_locale };
            const shown = open.value === course.course_id;
            return (
              <li key={course.course_id}>
                <span class="row-what">
                  <strong>
                    <Said of={title} />
                  </strong>
                  <span class="small">
                    {own ? t('ui.app.criteria.since', { Date: formatDate(own.created_at) }) : t('ui.app.criteria.default')}
                  </span>
                  {own && <Asked terms={own.terms} />}
                </span>
                {may && (
                  <button
                    type="button"
                    class="button quiet"
                    aria-expanded={shown}
                    onClick={() => (open.value = shown ? '' : course.course_id)}
                  >
                    {t('ui.app.criteria.change')}
                    <span class="unseen"> {said(title).text}</span>
                  </button>
                )}
                {shown && (
                  <Edit
                    key={own?.number ?? 0}
                    institution={institution}
                    course={course.course_id}
                    terms={own?.terms ?? nothing}
                    onSaved={(saved) => {
                      set.value = [...set.value.filter(({ course_id: id }) => id !== saved.course_id), saved];
                      open.value = '';
                    }}
                  />
                )}
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}

/** What terms ask beyond the course itself, in a few words each. */
function Asked({ terms }: { terms: Terms }) {
  const asked = [
    terms.items.length > 0 && t('ui.app.criteria.asks.items', { Count: terms.items.length }),
    terms.min_score > 0 && t('ui.app.criteria.asks.score', { Percent: Math.round(terms.min_score * 100) }),
    terms.approval && t('ui.app.criteria.asks.approval'),
    terms.confirm_name && t('ui.app.criteria.asks.name'),
    terms.ask_help && t('ui.app.criteria.asks.help'),
    terms.assessment !== 'unsupervised' && t(`ui.app.assessment.${terms.assessment}`),
    terms.months > 0 && t('ui.app.criteria.asks.months', { Count: terms.months }),
  ].filter(Boolean);
  return <span class="small">{asked.join(' · ')}</span>;
}

interface EditProps {
  institution: string;
  course: string;
  terms: Terms;
  onSaved: (criteria: Schemas['Criteria']) => void;
}

function Edit({ institution, course, terms, onSaved }: EditProps) {
  const task = useTask();
  const version = useSignal<Course | undefined>(undefined);
  const now = useSignal(terms);
  const months = useSignal(String(terms.months || ''));
  const score = useSignal(terms.min_score ? String(Math.round(terms.min_score * 100)) : '');
  useEffect(() => {
    void task.run(async () => {
      version.value = await ask(api.GET('/api/courses/{course_id}', { params: { path: { course_id: course } } }));
    });
  }, []);
  const save = async () => {
    const params = { path: { institution_id: institution, course_id: course } };
    const body = { ...now.value, months: Number(months.value || 0), min_score: Number(score.value || 0) / 100 };
    onSaved(await ask(api.PUT('/api/institutions/{institution_id}/criteria/{course_id}', { params, body })));
  };
  const toggle = (key: 'items' | 'competences', id: string) => {
    const list = now.value[key];
    now.value = { ...now.value, [key]: list.indexOf(id) >= 0 ? list.filter((one) => one !== id) : [...list, id] };
  };
  const found = version.value;
  const items = (found?.modules ?? []).flatMap((module) => module.items);
  const competences = found?.competences ?? [];
  return (
    <Form task={task} submit={t('ui.app.criteria.save')} onSubmit={save}>
      <Notice>
        <p>{t('ui.app.criteria.kept')}</p>
      </Notice>
      <fieldset class="boxes">
        <legend>{t('ui.app.criteria.items')}</legend>
        <small>{t('ui.app.criteria.items_hint')}</small>
        {items.map((item) => (
          <label key={item.id}>
            <input type="checkbox" checked={now.value.items.indexOf(item.id) >= 0} onChange={() => toggle('items', item.id)} />
            <span>
              <Said of={{ text: item.title, langs: item.title_lang, source: found?.source_locale ?? '' }} />
            </span>
          </label>
        ))}
      </fieldset>
      <Field
        label={t('ui.app.criteria.min_score')}
        hint={t('ui.app.criteria.min_score_hint')}
        type="number"
        inputMode="numeric"
        min={0}
        max={100}
        step={1}
        value={score.value}
        onValue={(value) => (score.value = value)}
        fault={faultOf(task, 'min_score')}
      />
      <fieldset class="boxes">
        <legend>{t('ui.app.criteria.who')}</legend>
        {(['approval', 'confirm_name', 'ask_help'] as const).map((key) => (
          <label key={key}>
            <input
              type="checkbox"
              checked={now.value[key]}
              onChange={(event) => (now.value = { ...now.value, [key]: event.currentTarget.checked })}
            />
            <span>{t(`ui.app.criteria.${key}`)}</span>
          </label>
        ))}
      </fieldset>
      <Select
        label={t('ui.app.criteria.assessment')}
        value={now.value.assessment}
        options={levels.map((level) => [level, t(`ui.app.assessment.${level}`)] as const)}
        onValue={(level) => (now.value = { ...now.value, assessment: level as Terms['assessment'] })}
      />
      <Field
        label={t('ui.app.criteria.months')}
        hint={t('ui.app.criteria.months_hint')}
        type="number"
        inputMode="numeric"
        min={0}
        max={600}
        step={1}
        value={months.value}
        onValue={(value) => (months.value = value)}
        fault={faultOf(task, 'months')}
      />
      {competences.length > 0 && (
        <fieldset class="boxes">
          <legend>{t('ui.app.criteria.competences')}</legend>
          <small>{t('ui.app.criteria.competences_hint')}</small>
          {competences.map(({ id, name: text, source_locale: source }) => (
            <label key={id}>
              <input type="checkbox" checked={now.value.competences.indexOf(id) >= 0} onChange={() => toggle('competences', id)} />
              <Said of={{ text, source }} />
            </label>
          ))}
        </fieldset>
      )}
    </Form>
  );
}
