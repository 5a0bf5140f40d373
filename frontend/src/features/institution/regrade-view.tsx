import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, formatNumber, formatPercent, t } from '../../i18n/words';
import { Bar } from '../../ui/bar';
import { ConfirmButton } from '../../ui/confirm-button';
import { Notice, Trouble } from '../../ui/notice';
import { List, usePages } from '../../ui/pages';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { useWatch } from '../../ui/watch';
import type { Regrade } from './regrades';

type Change = Schemas['RegradeChange'];
type Mode = Schemas['RegradeMode'];
const changes: readonly Change[] = ['better', 'worse', 'same', 'broken'];

interface Props {
  institution: string;
  first: Regrade;
  onChanged: (regrade: Regrade) => void;
}

/** One regrade: how far it is, what it would change, and the choice to apply it or not. */
export function RegradeView({ institution, first, onChanged }: Props) {
  const task = useTask();
  const now = useSignal(first);
  const mode = useSignal<Mode>('favourable');
  const path = { institution_id: institution, regrade_id: first.id };
  const show = (regrade: Regrade) => {
    const moved = regrade.state !== now.value.state;
    now.value = regrade;
    if (moved) onChanged(regrade);
  };
  const look = async () => show(await ask(api.GET('/api/institutions/{institution_id}/regrades/{regrade_id}', { params: { path } })));
  const { state, total, graded } = now.value;
  const works = state === 'running' || state === 'applying';
  useWatch(works, look);
  const apply = () =>
    task.run(async () => {
      const body = { mode: mode.value };
      show(await ask(api.PUT('/api/institutions/{institution_id}/regrades/{regrade_id}/application', { params: { path }, body })));
    });
  const discard = () =>
    task.run(async () => {
      await ask(api.DELETE('/api/institutions/{institution_id}/regrades/{regrade_id}', { params: { path } }));
      await look();
    });
  return (
    <div class="regrade">
      {state === 'running' && <Bar done={graded} total={total} />}
      {state === 'applying' && <p class="waiting">{t('ui.app.regrade.applying')}</p>}
      {state === 'applied' && (
        <Notice kind="good">
          <p>{t('ui.app.regrade.applied', { Count: now.value.applied, Date: formatDate(now.value.applied_at ?? '', true) })}</p>
        </Notice>
      )}
      <ul class="counts">
        {changes.map((change) => (
          <li key={change}>
            <strong>{formatNumber(now.value[change])}</strong> {t(`ui.app.regrade.change.${change}`)}
          </li>
        ))}
      </ul>
      <Results institution={institution} id={first.id} stamp={works ? '' : state} />
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      {state === 'ready' && (
        <fieldset class="boxes">
          <legend>{t('ui.app.regrade.which')}</legend>
          {(['favourable', 'all'] as const).map((one) => (
            <label key={one}>
              <input
                type="radio"
                name={`mode-${first.id}`}
                checked={mode.value === one}
                onChange={() => (mode.value = one)}
              />
              <span>
                {t(`ui.app.regrade.mode.${one}`)}
                <small>{t(`ui.app.regrade.mode_about.${one}`)}</small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {(state === 'ready' || state === 'running') && (
        <div class="buttons">
          {state === 'ready' && (
            <ConfirmButton ask={t('ui.app.regrade.apply')} sure={t('ui.app.regrade.apply_sure')} onConfirm={() => void apply()} />
          )}
          <ConfirmButton
            ask={t(state === 'running' ? 'ui.app.regrade.cancel' : 'ui.app.regrade.discard')}
            sure={t('ui.app.regrade.discard_sure')}
            onConfirm={() => void discard()}
          />
        </div>
      )}
    </div>
  );
}

/** Whose verdict would change, and how. */
function Results({ institution, id, stamp }: { institution: string; id: string; stamp: string }) {
  const change = useSignal<Change>('better');
  return (
    <details class="results">
      <summary>{t('ui.app.regrade.which_ones')}</summary>
      <Select
        label={t('ui.app.regrade.show_only')}
        value={change.value}
        options={changes.map((one) => [one, t(`ui.app.regrade.change.${one}`)] as const)}
        onValue={(value) => (change.value = value as Change)}
      />
      <ResultList key={change.value + stamp} institution={institution} id={id} change={change.value} />
    </details>
  );
}

function ResultList({ institution, id, change }: { institution: string; id: string; change: Change }) {
  const pages = usePages<Schemas['RegradeResult']>((cursor) =>
    ask(
      api.GET('/api/institutions/{institution_id}/regrades/{regrade_id}/results', {
        params: { path: { institution_id: institution, regrade_id: id }, query: { cursor, change } },
      }),
    ),
  );
  return (
    <List of={pages} empty={<p>{t('ui.app.regrade.no_results')}</p>}>
      {(result) => (
        <li key={result.submission_id}>
          <span class="row-what">
            <strong>
              <bdi>{result.display_name}</bdi>
            </strong>
            <span class="small">{t('ui.app.regrade.handed_in', { Date: formatDate(result.handed_in_at, true) })}</span>
          </span>
          <span class="row-side">
            <span class="small">
              {t('ui.app.regrade.before', { Outcome: t(`ui.app.outcome.${result.old_outcome}`), Score: formatPercent(result.old_score) })}
            </span>
            <br />
            <span>{t('ui.app.regrade.after', { Outcome: t(`ui.app.outcome.${result.outcome}`), Score: formatPercent(result.score) })}</span>
            {result.applied && <span class="chip">{t('ui.app.regrade.in_force')}</span>}
          </span>
        </li>
      )}
    </List>
  );
}
