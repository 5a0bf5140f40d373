import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask } from '../../api/client';
import { t } from '../../i18n/words';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { read, written } from './fallbacks';

/** Says which languages a reader gets where a course is not translated yet. */
export function Languages({ institution }: { institution: string }) {
  const task = useTask();
  const text = useSignal('');
  const saved = useSignal(false);
  const path = { institution_id: institution };
  useEffect(() => {
    void task.run(async () => {
      const found = await ask(api.GET('/api/institutions/{institution_id}', { params: { path } }));
      text.value = written(found.fallbacks ?? {});
    });
  }, [institution]);
  const save = async () => {
    saved.value = false;
    const body = { fallbacks: read(text.value) };
    const now = await ask(api.PATCH('/api/institutions/{institution_id}', { params: { path }, body }));
    text.value = written(now.fallbacks ?? {});
    saved.value = true;
  };
  return (
    <>
      <p>{t('ui.app.languages.about')}</p>
      <Form task={task} submit={t('ui.app.languages.save')} onSubmit={save}>
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
