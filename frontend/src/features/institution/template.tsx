import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { locale, locales, t } from '../../i18n/words';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { nameOf } from '../../ui/languages';
import { Notice, Trouble } from '../../ui/notice';
import { said } from '../../ui/said';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';

type Design = Schemas['CertificateDesign'];
type Signatory = Schemas['Signatory'];
type Course = Schemas['CourseSummary'];

const places = ['start', 'center', 'end'] as const;
const borders = ['double', 'single', 'corners', 'none'] as const;
const orientations = ['landscape', 'portrait'] as const;

/** How long the hand rests before what it changed is drawn. */
const rest = 300;

/** Says how certificates look, all or those of one course, and shows it while it is being changed. */
export function Template({ institution }: { institution: string }) {
  const task = useTask();
  const design = useSignal<Design | undefined>(undefined);
  const course = useSignal('');
  const own = useSignal(false);
  const saved = useSignal(false);
  const signatories = useSignal<readonly Signatory[]>([]);
  const courses = useSignal<readonly Course[]>([]);
  const language = useSignal(locale());
  const path = { institution_id: institution };
  const params = () => ({ path, ...(course.value && { query: { course: course.value } }) });
  const take = (found: Schemas['CertificateTemplate']) => {
    design.value = found.design;
    own.value = found.own;
  };
  const load = async () => {
    saved.value = false;
    take(await ask(api.GET('/api/institutions/{institution_id}/certificate-template', { params: params() })));
  };
  useEffect(() => {
    void task.run(async () => {
      const found = await ask(api.GET('/api/institutions/{institution_id}', { params: { path } }));
      signatories.value = found.signatories ?? [];
      courses.value = (await ask(api.GET('/api/courses', { params: { query: { limit: 200 } } }))).items;
      await load();
    });
  }, [institution]);
  const change = (part: Partial<Design>) => {
    if (!design.value) return;
    design.value = { ...design.value, ...part };
    saved.value = false;
  };
  const save = async () => {
    if (!design.value) return;
    take(await ask(api.PUT('/api/institutions/{institution_id}/certificate-template', { params: params(), body: design.value })));
    saved.value = true;
  };
  const remove = () =>
    void task.run(async () => {
      await ask(api.DELETE('/api/institutions/{institution_id}/certificate-template', { params: params() }));
      await load();
    });
  const now = design.value;
  const signs = (id: string) => !now?.signatories || now.signatories.includes(id);
  const sign = (id: string, on: boolean) => {
    const ids = signatories.value.map((one) => one.id).filter((one) => (one === id ? on : signs(one)));
    change({ signatories: ids });
  };
  return (
    <div class="template">
      <div>
      <Form task={task} submit={t('ui.app.template.save')} onSubmit={save}>
        <p>{t('ui.app.template.about')}</p>
        <Select
          label={t('ui.app.template.course')}
          value={course.value}
          options={[['', t('ui.app.template.all')], ...courses.value.map(named)]}
          onValue={(id) => {
            course.value = id;
            void task.run(load);
          }}
        />
        {now && (
          <>
            <Select
              label={t('ui.app.template.orientation')}
              value={now.orientation}
              options={orientations.map((one) => [one, t(`ui.app.template.orientation.${one}`)])}
              onValue={(value) => change({ orientation: value as Design['orientation'] })}
            />
            <Select
              label={t('ui.app.template.border')}
              value={now.border}
              options={borders.map((one) => [one, t(`ui.app.template.border.${one}`)])}
              onValue={(value) => change({ border: value as Design['border'] })}
            />
            <Select
              label={t('ui.app.template.logo')}
              value={now.logo}
              options={places.map((one) => [one, t(`ui.app.template.logo.${one}`)])}
              onValue={(value) => change({ logo: value as Design['logo'] })}
            />
            <Field
              type="color"
              label={t('ui.app.template.accent')}
              hint={t('ui.app.template.accent_hint')}
              value={now.accent}
              onValue={(value) => change({ accent: value })}
              fault={faultOf(task, 'accent')}
            />
            {signatories.value.length > 0 && (
              <fieldset class="field role-boxes">
                <legend>{t('ui.app.template.signatories')}</legend>
                {signatories.value.map(({ id, name }) => (
                  <label key={id}>
                    <input type="checkbox" checked={signs(id)} onChange={(event) => sign(id, event.currentTarget.checked)} /> <bdi>{name}</bdi>
                  </label>
                ))}
              </fieldset>
            )}
            <Select
              label={t('ui.app.template.language')}
              value={language.value}
              options={locales().map((one) => [one, nameOf(one), one === locale() ? undefined : one])}
              onValue={(value) => (language.value = value)}
            />
            <Field
              label={t('ui.app.template.line')}
              hint={t('ui.app.template.line_hint')}
              lang={language.value}
              dir="auto"
              maxLength={200}
              value={now.line[language.value] ?? ''}
              onValue={(value) => change({ line: { ...now.line, [language.value]: value } })}
              fault={faultOf(task, 'line')}
            />
          </>
        )}
        {saved.value && <Notice kind="good">{t('ui.app.template.saved')}</Notice>}
      </Form>
      {own.value && (
        <p>
          <button type="button" class="button quiet" onClick={remove}>
            {t(course.value ? 'ui.app.template.remove_course' : 'ui.app.template.remove')}
          </button>
        </p>
      )}
      </div>
      {now && <Preview institution={institution} design={now} language={language.value} />}
    </div>
  );
}

function named({ course_id: id, title, title_lang: langs, source_locale: source }: Course): [string, string, string?] {
  const { text, lang } = said({ text: title, langs, source });
  return [id, text, lang];
}

/** Draws a design as it is, saved or not. An answer that is late is not shown over a newer one. */
function Preview({ institution, design, language }: { institution: string; design: Design; language: string }) {
  const picture = useSignal('');
  const trouble = useSignal<unknown>(undefined);
  const turn = useRef(0);
  useEffect(() => {
    const mine = ++turn.current;
    const draw = async () => {
      try {
        const params = { path: { institution_id: institution }, query: { locale: language } };
        const svg = await ask(
          api.POST('/api/institutions/{institution_id}/certificate-template/preview', { params, body: design, parseAs: 'text' }),
        );
        if (mine !== turn.current) return;
        picture.value = `data:image/svg+xml,${encodeURIComponent(svg)}`;
        trouble.value = undefined;
      } catch (cause) {
        if (mine === turn.current) trouble.value = cause;
      }
    };
    const timer = setTimeout(() => void draw(), picture.value ? rest : 0);
    return () => clearTimeout(timer);
  }, [institution, design, language]);
  return (
    <section aria-labelledby="template-preview">
      <h3 id="template-preview">{t('ui.app.template.preview')}</h3>
      {trouble.value ? <Trouble cause={trouble.value} /> : null}
      {picture.value && <img class="sheet" src={picture.value} alt={t('ui.app.template.preview_alt')} />}
    </section>
  );
}
