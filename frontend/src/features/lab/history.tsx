import { formatDate, t } from '../../i18n/words';
import type { Submission } from './lab';

/** Earlier attempts, newest first, each of which can be brought back into the editor. */
export function History({ items, entry, onTake }: { items: readonly Submission[]; entry: string; onTake: (source: string) => void }) {
  if (!items.length) return null;
  return (
    <section class="history" aria-labelledby="history">
      <h2 id="history">{t('ui.lab.history')}</h2>
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <span class="history-what">
              <strong>{label(item)}</strong>
              <span class="small">{formatDate(item.created_at, true)}</span>
            </span>
            <button type="button" class="button quiet" onClick={() => onTake(item.files[entry] ?? '')}>
              {t('ui.lab.take_back')}
              <span class="unseen"> {formatDate(item.created_at, true)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function label({ verdict }: Submission): string {
  if (!verdict) return t('ui.lab.not_graded');
  const outcome = t(`ui.lab.outcome.${verdict.outcome}`);
  return verdict.attempt > 0 ? `${t('ui.lab.attempt', { Number: verdict.attempt })} · ${outcome}` : outcome;
}
