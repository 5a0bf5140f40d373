import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { Trouble } from '../../ui/notice';
import { Said } from '../../ui/said';
import { sentence } from '../../ui/sentence';
import { useTask } from '../../ui/task';
import { labFaults, loadFaults, type LabFault } from './faults';
import { Regrades, type Wish } from './regrades';

/** Labs that need their author, and labs that are graded again. */
export function Labs({ institution }: { institution: string }) {
  const task = useTask();
  const wish = useSignal<Wish>({});
  useEffect(() => void task.run(() => loadFaults(institution)), []);
  const faults = labFaults.value;
  return (
    <>
      <section aria-labelledby="at-fault">
        <h3 id="at-fault">{t('ui.app.labs.at_fault')}</h3>
        {task.trouble.value ? <Trouble cause={task.trouble.value} retry={() => void task.run(() => loadFaults(institution))} /> : null}
        {faults?.length === 0 && <div class="empty">{t('ui.app.labs.none')}</div>}
        {faults && faults.length > 0 && (
          <>
            <p>{t('ui.app.labs.about')}</p>
            <ul class="rows">
              {faults.map((fault) => (
                <Row
                  key={`${fault.version_id}/${fault.lab_id}`}
                  institution={institution}
                  fault={fault}
                  onRegrade={() => (wish.value = { course: fault.course_id, lab: fault.lab_id })}
                />
              ))}
            </ul>
          </>
        )}
        {!faults && !task.trouble.value && <p class="loading">{t('ui.loading')}</p>}
      </section>
      <Regrades institution={institution} wish={wish.value} onApplied={() => void loadFaults(institution)} />
    </>
  );
}

interface RowProps {
  institution: string;
  fault: LabFault;
  onRegrade: () => void;
}

function Row({ institution, fault, onRegrade }: RowProps) {
  const task = useTask();
  const source = fault.source_locale;
  const title = <Said of={{ text: fault.title, langs: fault.title_lang, source }} />;
  const seen = () =>
    task.run(async () => {
      const path = { institution_id: institution, version_id: fault.version_id, lab_id: fault.lab_id };
      const body = { until: fault.last_at };
      await ask(api.PUT('/api/institutions/{institution_id}/lab-faults/{version_id}/{lab_id}/seen', { params: { path }, body }));
      await loadFaults(institution);
    });
  return (
    <li>
      <span class="row-what">
        <strong>{title}</strong>
        <span class="small">
          {sentence(
            'ui.app.labs.in_version',
            { Number: fault.number },
            { Course: <Said of={{ text: fault.course_title, langs: fault.course_title_lang, source }} /> },
          )}
        </span>
        <span class="small">{t('ui.app.labs.affected', { Count: fault.submissions, Date: formatDate(fault.since, true) })}</span>
        {fault.check_title && (
          <span class="small">
            {sentence('ui.app.labs.check', {}, { Check: <Said of={{ text: fault.check_title, langs: fault.check_title_lang, source }} /> })}
          </span>
        )}
      </span>
      <span class="buttons">
        <button type="button" class="button quiet" onClick={onRegrade}>
          {t('ui.app.labs.grade_again')}
          <span class="unseen"> {title}</span>
        </button>
        <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void seen()}>
          {t('ui.app.labs.seen')}
          <span class="unseen"> {title}</span>
        </button>
      </span>
      {fault.cause && (
        <details class="cause">
          <summary>{t('ui.app.labs.cause')}</summary>
          <pre tabIndex={0} dir="ltr" aria-label={t('ui.app.labs.cause')}>
            {fault.cause}
          </pre>
        </details>
      )}
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </li>
  );
}
