import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask } from '../../api/client';
import { locale, locales, t } from '../../i18n/words';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { nameOf } from '../../ui/languages';
import { Notice } from '../../ui/notice';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { read, written } from './fallbacks';

/** The languages of the interface, none, and one that was set by other means. */
function choices(own: string): [string, string, string?][] {
  const all = locales().map((one): [string, string, string?] => [one, nameOf(one), one === locale() ? undefined : one]);
  if (own && !locales().includes(own)) all.unshift([own, own]);
  return [['', t('ui.app.languages.browser')], ...all];
}

/** Sets the institution's own language, and says which languages a reader gets where a course is not translated yet. */
export function Languages({ institution }: { institution: string }) {
  const task = useTask();
  const text = useSignal('');
  const own = useSignal('');
  const saved = useSignal(false);
  const path = { institution_id: institution };
  useEffect(() => {
    void task.run(async () => {
      const found = await ask(api.GET('/api/institutions/{institution_id}', { params: { path } }));
      text.value = written(found.fallbacks ?? {});
      own.value = found.locale ?? '';
    });
  }, [institution]);
  const save = async () => {
    saved.value = false;
    const body = { locale: own.value, fallbacks: read(text.value) };
    const now = await ask(api.PATCH('/api/institutions/{institution_id}', { params: { path }, body }));
    text.value = written(now.fallbacks ?? {});
    saved.value = true;
  };
  return (
    <>
      <Form task={task} submit={t('ui.app.languages.save')} onSubmit={save}>
        <Select
          label={t('ui.app.languages.locale')}
          hint={t('ui.app.languages.locale_hint')}
          value={own.value}
          options={choices(own.value)}
          onValue={(value) => (own.value = value)}
        />
        <p>{t('ui.app.languages.about')}</p>
        <Field
          label={t('ui.app.languages.fallbacks')}
          hint={t('ui.app.languages.hint')}
          value={text.value}
          onValue={(value) => (text.value = value)}
          maxLength={1000}
          autoCapitalize="none"
          autoComplete="off"
          dir="ltr"
          fault={faultOf(task, 'fallbacks')}
        />
        {saved.value && <Notice kind="good">{t('ui.app.languages.saved')}</Notice>}
      </Form>
    </>
  );
}
