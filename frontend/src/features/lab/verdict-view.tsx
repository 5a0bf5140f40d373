import { formatDate, formatNumber, formatPercent, t } from '../../i18n/words';
import { CheckList } from './check-list';
import type { Lab, Submission, Verdict } from './lab';
import { Output } from './output';
import { Traceback } from './traceback';

const kinds = {
  passed: 'good',
  partial: 'plain',
  failed: 'plain',
  learner_error: 'plain',
  author_error: 'bad',
  platform_error: 'bad',
} as const;

interface Props {
  submission: Submission;
  verdict: Verdict;
  lab: Lab;
  onLine: (line: number) => void;
}

/** What came out, check by check, in words that say whose turn it is. */
export function VerdictView({ submission, verdict, lab, onLine }: Props) {
  const { outcome, checks, message, score } = verdict;
  const before = submission.earlier?.[submission.earlier.length - 1];
  const passed = checks.filter((check) => check.passed).length;
  const points = lab.points ?? 1;
  const hidden = new Set(lab.checks.filter(({ visible }) => visible === false).map(({ id }) => id));
  const weights = new Map(lab.checks.map((check) => [check.id, check.points]));
  return (
    <>
      <h2>
        {t('ui.lab.verdict')} <span class="small size">{formatDate(submission.created_at, true)}</span>
      </h2>
      <div class={`notice verdict ${kinds[outcome]}`}>
        <h3>{t(`ui.lab.outcome.${outcome}`)}</h3>
        {/* Whose fault it is, what it costs and who knows of it is said in any case. */}
        <p>{kinds[outcome] === 'bad' ? t(`ui.lab.meaning.${outcome}`) : message || t(`ui.lab.meaning.${outcome}`)}</p>
        {checks.length > 0 && (
          <p class="small">
            {t('ui.lab.checks_passed', { Count: passed, Total: checks.length })}{' '}
            {points > 1
              ? t('ui.lab.points', { Score: formatNumber(score * points, { maximumFractionDigits: 1 }), Count: points })
              : formatPercent(score)}
          </p>
        )}
        {verdict.regraded_at && (
          <p class="small">
            {t('ui.lab.regraded', { Date: formatDate(verdict.regraded_at) })}
            {before && ` ${t('ui.lab.regraded_before', { Outcome: t(`ui.lab.outcome.${before.outcome}`), Score: formatPercent(before.score) })}`}
          </p>
        )}
      </div>
      {verdict.traceback && <Traceback text={verdict.traceback} entry={lab.entry} onLine={onLine} />}
      {checks.length > 0 && (
        <CheckList checks={checks.map((check) => ({ ...check, hidden: hidden.has(check.id), points: weights.get(check.id) }))} total={lab.points} />
      )}
      {verdict.output && (
        <details>
          <summary>{t('ui.lab.output')}</summary>
          <Output output={verdict.output} />
        </details>
      )}
    </>
  );
}
