import { api, ask } from '../../api/client';
import { me, signedIn } from '../../api/me';
import { t } from '../../i18n/words';
import { waiting } from '../../offline/outbox';
import { find, lock } from '../../offline/people';
import { endSession } from '../../offline/people/session';
import { Devices } from '../../ui/devices';
import { Notice, Trouble } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { EraseForm } from './erase-form';
import { PasswordForm } from './password-form';
import { ProfileForm } from './profile-form';
import { Sessions } from './sessions';
import { ThisDevice } from './this-device';
import { Tokens } from './tokens';

export default function AccountScreen() {
  const person = signedIn();
  if (person?.local || person?.limited) {
    return (
      <>
        <SignOut />
        {!person.local && (
          <Notice>
            <p>{t('ui.device.limited')}</p>
            <p>
              <a class="button quiet" href="/app/sign-in?next=/app/account">
                {t('ui.sign_in')}
              </a>
            </p>
          </Notice>
        )}
        <ThisDevice />
      </>
    );
  }
  return (
    <>
      <SignOut />
      <ProfileForm />
      <PasswordForm />
      <ThisDevice />
      <section aria-labelledby="devices">
        <h2 id="devices">{t('ui.device.list')}</h2>
        <p>{t('ui.device.list_about')}</p>
        <Devices
          load={() => ask(api.GET('/api/devices'))}
          revoke={(id) => ask(api.DELETE('/api/devices/{device_id}', { params: { path: { device_id: id } } }))}
        />
      </section>
      <Sessions />
      <Tokens />
      <EraseForm />
    </>
  );
}

function SignOut() {
  const task = useTask();
  const signOut = async () => {
    const known = await find(signedIn()?.id ?? '').catch(() => undefined);
    // First the device, which needs no network. A session that cannot be ended now ends at the next contact: its learner is not at this device.
    await lock().catch(() => undefined);
    await endSession().catch((cause: unknown) => {
      if (!known) throw cause;
    });
    me.value = null;
    location.assign(known && known.kind !== 'public' ? '/app/sign-in' : '/');
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
