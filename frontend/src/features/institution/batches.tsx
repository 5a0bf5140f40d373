import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, formatNumber, t } from '../../i18n/words';
import { uuidv7 } from '../../offline/uuidv7';
import { Bar } from '../../ui/bar';
import { Form } from '../../ui/form';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { useWatch } from '../../ui/watch';
import { levels } from './award-row';

type Batch = Schemas['IssueBatch'];

interface Props {
  institution: string;
  may: boolean;
  waiting: number;
  course: string;
  onMoved: () => void;
}

/** Approves all that wait at once, and shows how far that is. */
export function Batches({ institution, may, waiting, course, onMoved }: Props) {
  const task = useTask();
  const level = useSignal('');
  const batches = useSignal<readonly Batch[]>([]);
  const path = { institution_id: institution };
  const look = async () => {
    const { items } = await ask(api.GET('/api/institutions/{institution_id}/issue-batches', { params: { path, query: { limit: 5 } } }));
    const worked = batches.value.some(({ done }) => !done);
    batches.value = items;
    if (worked && items.every(({ done }) => done)) onMoved();
  };
  const works = batches.value.some(({ done }) => !done);
  useEffect(() => void look().catch(() => undefined), []);
  useWatch(works, look);
  const start = async () => {
    const body = {
      id: uuidv7(),
      ...(course && { course_id: course }),
      ...(level.value && { assessment: level.value as Schemas['Assessment'] }),
    };
    const batch = await ask(api.POST('/api/institutions/{institution_id}/issue-batches', { params: { path }, body }));
    batches.value = [batch, ...batches.value];
  };
  return (
    <section aria-labelledby="batches">
      <h3 id="batches">{t('ui.app.batches.title')}</h3>
      {may && waiting > 0 && (
        <>
          <p>{t('ui.app.batches.about')}</p>
          <Form task={task} submit={t('ui.app.batches.start')} onSubmit={start}>
            <Select
              label={t('ui.app.awards.assessment')}
              hint={t('ui.app.batches.level_hint')}
              value={level.value}
              options={[['', t('ui.app.batches.no_level')], ...levels.slice(1).map((one) => [one, t(`ui.app.assessment.${one}`)] as const)]}
              onValue={(value) => (level.value = value)}
            />
          </Form>
        </>
      )}
      {batches.value.length === 0 && waiting === 0 && <div class="empty">{t('ui.app.batches.none')}</div>}
      {batches.value.length > 0 && (
        <ul class="rows">
          {batches.value.map((batch) => (
            <Row key={batch.id} batch={batch} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ batch }: { batch: Batch }) {
  const skipped = batch.skipped.reduce((sum, { count }) => sum + count, 0);
  return (
    <li>
      <span class="row-what">
        <strong>{formatDate(batch.created_at, true)}</strong>
        <span class="small" role={batch.done ? undefined : 'status'}>
          {t(batch.done ? 'ui.app.batches.done' : 'ui.app.batches.works', { Issued: batch.issued, Total: batch.total })}
        </span>
        {batch.skipped.map(({ code, detail, count }) => (
          <span key={code} class="small">
            {t('ui.app.batches.skipped', { Count: count, Number: formatNumber(count), Why: detail })}
          </span>
        ))}
      </span>
      <span class="row-side">
        <Bar done={batch.issued + skipped} total={batch.total} />
      </span>
    </li>
  );
}
