// Earlier attempts, newest first: when, what came of it, what was different, and a way back to each.
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { formatDate, formatPercent, t } from '../../i18n/words';
import { diffLines, hunks } from './diff';
import type { Submission } from './lab';

interface Props {
  items: readonly Submission[];
  entry: string;
  /** What stands in the editor. */
  source: string;
  onTake: (source: string) => void;
}

const firstShown = 5;

export function History({ items, entry, source, onTake }: Props) {
  const all = useSignal(false);
  return (
    <section class="history" aria-labelledby="history">
      <h2 id="history">{t('ui.lab.history')}</h2>
      <ul>
        {(all.value ? items : items.slice(0, firstShown)).map((item) => (
          <Attempt key={item.id} item={item} text={item.files[entry] ?? ''} source={source} onTake={onTake} />
        ))}
      </ul>
      {!all.value && items.length > firstShown && (
        <button type="button" class="button quiet" onClick={() => (all.value = true)}>
          {t('ui.lab.history_all')}
        </button>
      )}
    </section>
  );
}

function Attempt({ item, text, source, onTake }: { item: Submission; text: string; source: string; onTake: (source: string) => void }) {
  const open = useSignal(false);
  const when = formatDate(item.created_at, true);
  const same = text === source;
  return (
    <li>
      <span class="history-what">
        <strong>{label(item)}</strong>
        <span class="small">
          {when}
          {same && ` · ${t('ui.lab.same_text')}`}
        </span>
      </span>
      {!same && (
        <span class="history-acts">
          <button type="button" class="button quiet" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
            {t('ui.lab.compare')}
            <span class="unseen"> {when}</span>
          </button>
          <button type="button" class="button quiet" onClick={() => onTake(text)}>
            {t('ui.lab.take_back')}
            <span class="unseen"> {when}</span>
          </button>
        </span>
      )}
      {!same && open.value && <Difference before={text} after={source} />}
    </li>
  );
}

function label({ verdict }: Submission): string {
  if (!verdict) return t('ui.lab.not_graded');
  const outcome = t(`ui.lab.outcome.${verdict.outcome}`);
  const score = verdict.outcome === 'partial' ? ` · ${formatPercent(verdict.score)}` : '';
  return (verdict.attempt > 0 ? `${t('ui.lab.attempt', { Number: verdict.attempt })} · ${outcome}` : outcome) + score;
}

const marks = { same: ' ', gone: '\u2212', new: '+' } as const;

/** The lines that differ: what was handed in then, against what stands in the editor now. */
function Difference({ before, after }: { before: string; after: string }) {
  const changes = useMemo(() => hunks(diffLines(before, after)), [before, after]);
  return (
    <div class="diff">
      <p class="small">{t('ui.lab.compare_help')}</p>
      <pre tabIndex={0} role="group" aria-label={t('ui.lab.compare')}>
        {changes.map((change) => {
          if (!change) return <span class="diff-gap">{'\u22ef'}</span>;
          const { kind, line } = change;
          const content = `${marks[kind]} ${line}`;
          if (kind === 'gone') return <del>{content}</del>;
          return kind === 'new' ? <ins>{content}</ins> : <span>{content}</span>;
        })}
      </pre>
    </div>
  );
}
