import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { Problem } from '../../api/problem';
import { formatDate, locale, locales, spokenIn, t } from '../../i18n/words';
import { uuidv7 } from '../../offline/uuidv7';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { nameOf } from '../../ui/languages';
import { Notice, Trouble } from '../../ui/notice';
import { said } from '../../ui/said';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { useCourses } from './courses';

type Texts = Readonly<Record<string, string>>;

/** The text in the language of the page, or in one that there is. */
export function nearest(texts: Texts): { text: string; lang?: string } {
  const lang = [locale(), 'en', ...Object.keys(texts)].find((one) => texts[one]) ?? '';
  return { text: texts[lang] ?? '', ...(lang !== locale() && { lang }) };
}

interface Draft {
  lang: string;
  as: string;
  scope: string;
  conditions: string;
}
const blank = (lang: string): Draft => ({ lang, as: '', scope: '', conditions: '' });
const texts = (drafts: readonly Draft[], part: 'as' | 'scope' | 'conditions'): Record<string, string> => {
  const out: Record<string, string> = {};
  for (const draft of drafts) if (draft[part].trim()) out[draft.lang] = draft[part].trim();
  return out;
};

/** Signs that the institution takes an achievement of another one for one of its own. What is to be signed is shown once more before. */
export function NewRecognition({ institution, onSigned }: { institution: string; onSigned: () => void }) {
  const task = useTask();
  const issuers = useSignal<Schemas['IssuerList'] | undefined>(undefined);
  const courses = useCourses();
  const whose = useSignal('');
  const course = useSignal('');
  const did = useSignal('');
  const address = useSignal('');
  const name = useSignal('');
  const drafts = useSignal<readonly Draft[]>([blank(locale())]);
  const until = useSignal('');
  const checking = useSignal<Schemas['NewRecognition'] | undefined>(undefined);
  const top = useRef<HTMLHeadingElement>(null);
  const others = (issuers.value?.items ?? []).filter((one) => one.institution_id !== institution);
  useEffect(
    () =>
      void task.run(async () => {
        issuers.value = await ask(api.GET('/api/issuers'));
      }),
    [],
  );
  const choose = (id: string) => {
    course.value = id;
    const found = courses.value?.find((one) => one.course_id === id);
    if (!found || !issuers.value) return;
    address.value = `${issuers.value.address}/${found.source_locale}/courses/${found.course_id}`;
    name.value = said({ text: found.title, source: found.source_locale }).text;
  };
  const belong = (id: string) => {
    whose.value = id;
    did.value = id;
    choose(id ? (courses.value?.[0]?.course_id ?? '') : '');
    if (!id) address.value = name.value = '';
  };
  const look = async () => {
    const list = drafts.value;
    checking.value = {
      id: uuidv7(),
      of_did: did.value.trim(),
      of_achievement: address.value.trim(),
      of_name: name.value.trim(),
      as: texts(list, 'as'),
      scope: texts(list, 'scope'),
      conditions: texts(list, 'conditions'),
      ...(until.value && { valid_until: new Date(`${until.value}T23:59:59`).toISOString() }),
    };
    top.current?.focus();
  };
  const sign = () =>
    task.run(async () => {
      const body = checking.value;
      if (!body) return;
      try {
        await ask(api.POST('/api/institutions/{institution_id}/recognitions', { params: { path: { institution_id: institution } }, body }));
      } catch (cause) {
        // What is wrong with a field is said beside it.
        if (cause instanceof Problem && cause.status === 422) checking.value = undefined;
        throw cause;
      }
      checking.value = undefined;
      drafts.value = [blank(locale())];
      until.value = '';
      top.current?.focus();
      onSigned();
    });
  const change = (i: number, part: Partial<Draft>) => (drafts.value = drafts.value.map((one, j) => (i === j ? { ...one, ...part } : one)));
  const free = locales().filter((one) => !drafts.value.some(({ lang }) => lang === one));
  const here = whose.value !== '';
  return (
    <section aria-labelledby="new-recognition">
      <h3 id="new-recognition" tabIndex={-1} ref={top}>
        {t('ui.app.recognitions.new')}
      </h3>
      {checking.value ? (
        <Check of={checking.value} task={task} sign={() => void sign()} back={() => (checking.value = undefined)} />
      ) : (
        <>
          <Select
            label={t('ui.app.recognitions.whose')}
            value={whose.value}
            options={[['', t('ui.app.recognitions.elsewhere')], ...others.map((one): [string, string, string | undefined] => [one.did, one.name, one.name_lang])]}
            onValue={belong}
          />
          {!here && (
            <Sample
              onRead={({ issuer, achievement_id: id = '', achievement = '' }) => {
                did.value = issuer;
                address.value = id.replace(/@[0-9]+$/, '');
                name.value = achievement;
              }}
            />
          )}
          <Form task={task} submit={t('ui.app.recognitions.check')} onSubmit={look}>
            {here ? (
              <Select
                label={t('ui.app.awards.course')}
                value={course.value}
                options={(courses.value ?? []).map(({ course_id: id, title: text, title_lang: langs, source_locale: source }): [string, string, string | undefined] => {
                  const title = said({ text, langs, source });
                  return [id, title.text, title.lang];
                })}
                onValue={choose}
              />
            ) : (
              <>
                <Field label={t('ui.app.recognitions.did')} required dir="ltr" autoCapitalize="none" maxLength={260} value={did.value} onValue={(value) => (did.value = value)} fault={faultOf(task, 'of_did')} />
                <Field label={t('ui.app.recognitions.address')} required dir="ltr" inputMode="url" autoCapitalize="none" maxLength={500} value={address.value} onValue={(value) => (address.value = value)} fault={faultOf(task, 'of_achievement')} />
              </>
            )}
            <Field label={t('ui.app.recognitions.name')} required dir="auto" maxLength={200} value={name.value} onValue={(value) => (name.value = value)} fault={faultOf(task, 'of_name')} />
            {drafts.value.map((draft, i) => (
              <fieldset key={draft.lang}>
                <legend>{t('ui.app.recognitions.one_language', { Language: nameOf(draft.lang) })}</legend>
                {free.length > 0 && (
                  <Select
                    label={t('ui.app.recognitions.language')}
                    value={draft.lang}
                    options={[draft.lang, ...free].map((one) => [one, nameOf(one), one === locale() ? undefined : one] as const)}
                    onValue={(lang) => change(i, { lang })}
                  />
                )}
                <Field label={t('ui.app.recognitions.counts_as')} hint={t('ui.app.recognitions.counts_as_hint')} required dir="auto" maxLength={200} value={draft.as} onValue={(as) => change(i, { as })} fault={i ? undefined : faultOf(task, 'as')} />
                <Field label={t('ui.app.recognitions.scope')} hint={t('ui.app.recognitions.may_be_empty')} dir="auto" maxLength={1000} value={draft.scope} onValue={(scope) => change(i, { scope })} fault={i ? undefined : faultOf(task, 'scope')} />
                <Field label={t('ui.app.recognitions.conditions')} hint={t('ui.app.recognitions.may_be_empty')} dir="auto" maxLength={1000} value={draft.conditions} onValue={(conditions) => change(i, { conditions })} fault={i ? undefined : faultOf(task, 'conditions')} />
                {drafts.value.length > 1 && (
                  <button type="button" class="button quiet" onClick={() => (drafts.value = drafts.value.filter((_, j) => j !== i))}>
                    {t('ui.app.recognitions.remove_language')}
                    <span class="unseen"> {nameOf(draft.lang)}</span>
                  </button>
                )}
              </fieldset>
            ))}
            {free.length > 0 && (
              <button type="button" class="button quiet" onClick={() => (drafts.value = [...drafts.value, blank(free[0] as string)])}>
                {t('ui.app.recognitions.add_language')}
              </button>
            )}
            <Field label={t('ui.app.recognitions.expires')} hint={t('ui.app.recognitions.expires_hint')} type="date" value={until.value} onValue={(value) => (until.value = value)} fault={faultOf(task, 'valid_until')} />
          </Form>
        </>
      )}
    </section>
  );
}

/** What is going to be signed, to look at once more. */
function Check({ of, task, sign, back }: { of: Schemas['NewRecognition']; task: ReturnType<typeof useTask>; sign: () => void; back: () => void }) {
  const line = (label: string, texts: Texts | undefined) =>
    Object.keys(texts ?? {}).map((lang) => (
      <div key={label + lang}>
        <dt>{`${label} · ${nameOf(lang)}`}</dt>
        <dd>
          <bdi {...spokenIn(lang)}>{texts?.[lang]}</bdi>
        </dd>
      </div>
    ));
  return (
    <>
      <dl class="facts">
        <div>
          <dt>{t('ui.app.recognitions.name')}</dt>
          <dd>
            <bdi lang="" dir="auto">
              {of.of_name}
            </bdi>
          </dd>
        </div>
        <div>
          <dt>{t('ui.app.recognitions.did')}</dt>
          <dd>
            <bdi translate={false}>{of.of_did}</bdi>
          </dd>
        </div>
        <div>
          <dt>{t('ui.app.recognitions.address')}</dt>
          <dd>
            <bdi translate={false}>{of.of_achievement}</bdi>
          </dd>
        </div>
        {line(t('ui.app.recognitions.counts_as'), of.as)}
        {line(t('ui.app.recognitions.scope'), of.scope)}
        {line(t('ui.app.recognitions.conditions'), of.conditions)}
        {of.valid_until && (
          <div>
            <dt>{t('ui.app.recognitions.expires')}</dt>
            <dd>{formatDate(of.valid_until)}</dd>
          </div>
        )}
      </dl>
      <p>{t('ui.app.recognitions.sure')}</p>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      <p class="buttons">
        <button type="button" class="button" aria-disabled={task.busy.value} onClick={sign}>
          {t('ui.app.recognitions.sign')}
        </button>
        <button type="button" class="button quiet" onClick={back}>
          {t('ui.app.recognitions.back')}
        </button>
      </p>
    </>
  );
}

/** Reads the other institution out of one of its certificates, once that was checked. */
function Sample({ onRead }: { onRead: (claims: Schemas['CredentialClaims']) => void }) {
  const task = useTask();
  const text = useSignal('');
  const bad = useSignal(false);
  const read = async () => {
    bad.value = false;
    const { state, claims } = await ask(api.POST('/api/credentials/verify', { body: { text: text.value, offline: false } }));
    if ((state === 'valid' || state === 'expired') && claims?.achievement_id) onRead(claims);
    else bad.value = true;
  };
  return (
    <div class="field">
      <label>
        {t('ui.app.recognitions.sample')}
        <textarea dir="ltr" rows={3} spellcheck={false} autocapitalize="off" value={text.value} aria-describedby="sample-hint" onInput={(event) => (text.value = event.currentTarget.value)} />
      </label>
      <small id="sample-hint">{t('ui.app.recognitions.sample_hint')}</small>
      {bad.value && (
        <Notice kind="bad">
          <p>{t('ui.app.recognitions.read_not')}</p>
        </Notice>
      )}
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      <button
        type="button"
        class="button quiet"
        aria-disabled={task.busy.value || !text.value.trim()}
        onClick={() => {
          if (text.value.trim()) void task.run(read);
        }}
      >
        {t('ui.app.recognitions.read')}
      </button>
    </div>
  );
}
