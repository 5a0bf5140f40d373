// The invitation to take part: sign in, or join the course. Islands show it in place of what needs an enrollment.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { me } from '../api/me';
import { Unreached } from '../api/problem';
import { context } from '../context';
import { t } from '../i18n/words';
import { signInHref } from '../next';
import { Notice, Trouble } from '../ui/notice';
import { enrollment, loadEnrollment, trouble } from './enrollment';
import type { Joining } from './joining';

/** Where the learner takes another version than this page shows, its address. */
export function otherVersion(): string | undefined {
  const { course, version, item, locale } = context();
  const mine = enrollment.value?.number;
  if (!mine || mine === version) return undefined;
  return `/${locale}/courses/${course}@${mine}${item ? `/${item}` : ''}`;
}

export function Join() {
  const { course } = context();
  const again = () => void loadEnrollment(course, true);
  if (trouble.value) return <Trouble cause={trouble.value} retry={again} />;
  // Nobody whom this device knows, and no server to ask: no fault, and reading goes on.
  if (me.value === 'unreached') {
    return (
      <Notice>
        <p>{t('ui.join.away')}</p>
        <button type="button" class="button quiet" onClick={again}>
          {t('ui.retry')}
        </button>
      </Notice>
    );
  }
  if (me.value === null) return <SignInFirst />;
  if (enrollment.value === null) return <JoinButton course={course} />;
  const other = otherVersion();
  if (!other) return null;
  return (
    <Notice>
      <p>
        {t('ui.join.other_version', { Number: enrollment.value?.number ?? 0 })} <a href={other}>{t('ui.join.open_mine')}</a>
      </p>
    </Notice>
  );
}

function SignInFirst() {
  return (
    <div class="notice">
      <p>{t('ui.join.sign_in_first')}</p>
      <p class="buttons">
        <a class="button" href={signInHref()}>
          {t('ui.sign_in')}
        </a>
        <a class="button quiet" href={signInHref('sign-up')}>
          {t('ui.sign_up')}
        </a>
      </p>
    </div>
  );
}

function JoinButton({ course }: { course: string }) {
  const there = useSignal<{ View: typeof Joining } | undefined>(undefined);
  const lost = useSignal(false);
  const load = () => {
    lost.value = false;
    void import('./joining').then(
      ({ Joining: View }) => (there.value = { View }),
      () => (lost.value = true),
    );
  };
  useEffect(load, []);
  if (lost.value) return <Trouble cause={new Unreached()} retry={load} />;
  return there.value ? <there.value.View course={course} /> : <p class="loading">{t('ui.loading')}</p>;
}
