import { useSignal } from '@preact/signals';
import { api, ask } from '../../api/client';
import { me, signedIn } from '../../api/me';
import { locale, locales, t } from '../../i18n/words';
import { rememberLanguage } from '../../language';
import { NameField } from '../../ui/account-fields';
import { faultOf, Form } from '../../ui/form';
import { Notice } from '../../ui/notice';
import { nameOf } from '../../ui/languages';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';

export function ProfileForm() {
  const task = useTask();
  const person = signedIn();
  const name = useSignal(person?.display_name ?? '');
  const language = useSignal(locale());
  const saved = useSignal(false);
  const save = async () => {
    saved.value = false;
    me.value = await ask(api.PATCH('/api/me', { body: { display_name: name.value.trim(), locale: language.value } }));
    saved.value = true;
    if (language.value === locale()) return;
    rememberLanguage(language.value);
    location.reload();
  };
  return (
    <section aria-labelledby="profile">
      <h2 id="profile">{t('ui.app.account.profile')}</h2>
      <p class="small">
        {t('ui.app.username')} <code dir="ltr">{person?.username}</code>
      </p>
      <Form task={task} submit={t('ui.app.save')} onSubmit={save}>
        <NameField value={name.value} onValue={(value) => (name.value = value)} fault={faultOf(task, 'display_name')} />
        <Select
          label={t('ui.app.account.language')}
          value={language.value}
          options={locales().map((one) => [one, nameOf(one), one === locale() ? undefined : one] as const)}
          onValue={(value) => (language.value = value)}
        />
        {saved.value && <Notice kind="good">{t('ui.app.saved')}</Notice>}
      </Form>
    </section>
  );
}
