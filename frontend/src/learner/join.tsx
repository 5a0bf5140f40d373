// The invitation to take part: sign in, or join the course. Islands show it in place of what needs an enrollment.
import { useSignal } from '@preact/signals';
import { me, signedIn } from '../api/me';
import { Unreached } from '../api/problem';
import { context } from '../context';
import { t } from '../i18n/words';
import { signInHref } from '../next';
import { Notice, Trouble } from '../ui/notice';
import { useTask } from '../ui/task';
import { enrol, enrollment, loadEnrollment, trouble } from './enrollment';

/** Where the learner takes another version than this page shows, its address. */
export function otherVersion(): string | undefined {
  const { course, version, item, locale } = context();
  const mine = enrollment.value?.number;
  if (!mine || mine === version) return undefined;
  return `/${locale}/courses/${course}@${mine}${item ? `/${item}` : ''}`;
}

export function Join() {
  const { course } = context();
  if (me.value === 'unreached' || trouble.value) {
    const cause = trouble.value ?? new Unreached();
    return <Trouble cause={cause} retry={() => void loadEnrollment(course, true)} />;
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
  const task = useTask();
  const schools = new Map((signedIn()?.memberships ?? []).map((one) => [one.institution_id, one.institution_name]));
  const chosen = useSignal(Array.from(schools.keys())[0]);
  return (
    <div>
      {schools.size > 1 && (
        <label class="field">
          <span>{t('ui.join.institution')}</span>
          <select value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            {Array.from(schools, ([id, name]) => (
              <option value={id}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <button
        type="button"
        class="button"
        aria-disabled={task.busy.value}
        onClick={() => void task.run(() => enrol(course, schools.size > 1 ? chosen.value : undefined))}
      >
        {t('ui.join.join')}
      </button>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </div>
  );
}
