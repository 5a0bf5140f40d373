import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { ConfirmButton } from '../../ui/confirm-button';
import { Notice, Trouble } from '../../ui/notice';
import { List, usePages } from '../../ui/pages';
import { useTask } from '../../ui/task';

type Job = Schemas['ParkedJob'];

/** For the operator: work that was given up after many tries, and the way to have it done again. */
export default function ParkedJobs() {
  const task = useTask();
  const total = useSignal(0);
  const retried = useSignal<number | undefined>(undefined);
  const pages = usePages<Job>(async (cursor) => {
    const page = await ask(api.GET('/api/parked-jobs', { params: { query: { cursor } } }));
    total.value = page.total;
    return page;
  });
  const retryAll = () =>
    task.run(async () => {
      retried.value = (await ask(api.POST('/api/parked-jobs/retries', {}))).retried;
      await pages.reload();
    });
  return (
    <>
      <p>{t('ui.app.jobs.about')}</p>
      {retried.value !== undefined && <Notice kind="good">{t('ui.app.jobs.retried', { Count: retried.value })}</Notice>}
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      {total.value > 0 && (
        <div class="buttons above">
          <ConfirmButton
            ask={t('ui.app.jobs.retry_all', { Count: total.value })}
            sure={t('ui.app.jobs.retry_sure')}
            onConfirm={() => void retryAll()}
          />
        </div>
      )}
      <List of={pages} empty={<p>{t('ui.app.jobs.none')}</p>}>
        {(job) => <Row key={job.id} job={job} onRetried={pages.reload} />}
      </List>
    </>
  );
}

// A test of internal/app wants every kind here that the server does.
const kinds = [
  'account.erased',
  'course.completed',
  'course.progressed',
  'credential.batch',
  'credential.issue',
  'credential.renew',
  'credential.reweigh',
  'lab.grade',
  'lab.regrade',
  'lab.regrade.apply',
  'lab.regrade.plan',
  'outbox.purge',
] as const;

// A kind that a later server knows shows its own name.
function nameOf(kind: string): string {
  const known = kinds.find((one) => one === kind);
  return known ? t(`ui.app.jobs.kind.${known.replace(/\./g, '_')}`) : kind;
}

function Row({ job, onRetried }: { job: Job; onRetried: () => Promise<void> }) {
  const task = useTask();
  const name = nameOf(job.kind);
  const retry = () =>
    task.run(async () => {
      await ask(api.POST('/api/parked-jobs/{job_id}/retry', { params: { path: { job_id: job.id } } }));
      await onRetried();
    });
  return (
    <li>
      <span class="row-what">
        <strong>
          <bdi>{name}</bdi>
        </strong>
        <span class="small">{t('ui.app.jobs.parked', { Date: formatDate(job.parked_at, true) })}</span>
        <span class="small">{t('ui.app.jobs.tries', { Count: job.tries })}</span>
      </span>
      <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void retry()}>
        {t('ui.app.jobs.retry')}
        <span class="unseen"> {name}</span>
      </button>
      <details class="cause">
        <summary>{t('ui.app.jobs.cause')}</summary>
        <pre tabIndex={0} dir="ltr" aria-label={t('ui.app.jobs.cause')}>
          {job.cause}
        </pre>
      </details>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </li>
  );
}
