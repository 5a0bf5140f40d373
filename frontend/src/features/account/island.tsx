import { loadMe, me, signedIn } from '../../api/me';
import { t } from '../../i18n/words';
import { signInHref } from '../../next';
import { mountInto } from '../../ui/mount';

/** In the header: the way in, or the person. */
export async function mount(element: HTMLElement): Promise<void> {
  await loadMe();
  // Unreached or unknown: the plain link stays.
  if (me.value === 'unreached') return;
  mountInto(element, <Account />);
}

function Account() {
  const person = signedIn();
  if (person) {
    return (
      <a class="button quiet" href="/app/">
        <span class="unseen">{t('ui.account.mine')} </span>
        <bdi class="person">{person.display_name}</bdi>
      </a>
    );
  }
  const here = location.pathname.startsWith('/app') ? '/app/sign-in' : signInHref();
  return (
    <a class="button quiet" href={here}>
      {t('ui.sign_in')}
    </a>
  );
}
