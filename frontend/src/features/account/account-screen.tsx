import { api, ask } from '../../api/client';
import { me } from '../../api/me';
import { t } from '../../i18n/words';
import { waiting } from '../../offline/outbox';
import { Notice, Trouble } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { PasswordForm } from './password-form';
import { ProfileForm } from './profile-form';
import { Sessions } from './sessions';
import { Tokens } from './tokens';

export default function AccountScreen() {
  return (
    <>
      <SignOut />
      <ProfileForm />
      <PasswordForm />
      <Sessions />
      <Tokens />
    </>
  );
}

function SignOut() {
  const task = useTask();
  const signOut = async () => {
    await ask(api.DELETE('/api/sessions/current'));
    me.value = null;
    location.assign('/');
  };
  return (
    <>
      {waiting.value.length > 0 && <Notice>{t('ui.app.account.unsent', { Count: waiting.value.length })}</Notice>}
      <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void task.run(signOut)}>
        {t('ui.app.account.sign_out')}
      </button>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </>
  );
}
