import { formatPercent, t } from '../../i18n/words';
import type { Verdict } from './lab';

type Check = Verdict['checks'][number];

const kinds = {
  passed: 'good',
  partial: 'plain',
  failed: 'plain',
  learner_error: 'plain',
  author_error: 'bad',
  platform_error: 'bad',
} as const;

/** What came out, check by check, in words that say whose turn it is. */
export function VerdictView({ verdict }: { verdict: Verdict }) {
  const passed = verdict.checks.filter((check) => check.passed).length;
  return (
    <div class={`notice verdict ${kinds[verdict.outcome]}`}>
      <h3>{t(`ui.lab.outcome.${verdict.outcome}`)}</h3>
      <p>{verdict.message || t(`ui.lab.meaning.${verdict.outcome}`)}</p>
      {verdict.checks.length > 0 && (
        <>
          <p class="small">
            {t('ui.lab.checks_passed', { Count: passed, Total: verdict.checks.length })} {formatPercent(verdict.score)}
          </p>
          <ul class="check-results">
            {verdict.checks.map((check) => (
              <CheckView key={check.id} check={check} />
            ))}
          </ul>
        </>
      )}
      {verdict.traceback && <Output title={t('ui.lab.traceback')} text={verdict.traceback} open />}
      {verdict.output && <Output title={t('ui.lab.output')} text={verdict.output} />}
    </div>
  );
}

function CheckView({ check }: { check: Check }) {
  return (
    <li>
      <p class={check.passed ? 'tick' : 'cross'}>
        <span>
          {check.title}
          <span class="unseen"> ({t(check.passed ? 'ui.lab.check_passed' : 'ui.lab.check_failed')})</span>
        </span>
      </p>
      {!check.passed && (
        <div class="check-why">
          {check.call && (
            <p>
              <code dir="ltr">{check.call}</code>
            </p>
          )}
          {check.got !== undefined && check.got !== '' && (
            <p>
              {t('ui.lab.got')} <code dir="ltr">{check.got}</code>
            </p>
          )}
          {check.error && <pre>{check.error}</pre>}
          {check.feedback && <p dir="auto">{check.feedback}</p>}
        </div>
      )}
    </li>
  );
}

function Output({ title, text, open = false }: { title: string; text: string; open?: boolean }) {
  return (
    <details open={open}>
      <summary>{title}</summary>
      <pre tabIndex={0} aria-label={title}>
        {text}
      </pre>
    </details>
  );
}
