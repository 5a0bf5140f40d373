// Joining the course of this page: fetched by those who have not joined.
import { useSignal } from '@preact/signals';
import { api, ask } from '../api/client';
import { signedIn } from '../api/me';
import { Unreached } from '../api/problem';
import { t } from '../i18n/words';
import { flush } from '../offline/outbox';
import { uuidv7 } from '../offline/uuidv7';
import { Trouble } from '../ui/notice';
import { useTask } from '../ui/task';
import { enrollment, knownHere, loadProgress } from './enrollment';
import { join } from './known-here';

/** Enrols in the newest version. Twice is no error. Without the network it is kept, and counts from now on. */
async function enrol(course: string, institution?: string): Promise<void> {
  const body = { id: uuidv7(), course_id: course, ...(institution ? { institution_id: institution } : {}) };
  try {
    enrollment.value = await ask(api.POST('/api/enrollments', { body }));
  } catch (cause) {
    const person = signedIn();
    if (!(cause instanceof Unreached) || !person) throw cause;
    await join(person.id, body);
    await knownHere(course);
    void flush();
    return;
  }
  await loadProgress();
}

export function Joining({ course }: { course: string }) {
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
