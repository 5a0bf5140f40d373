// What came of the checks, one by one: of a verdict, and of a run in the page.
import { spokenIn, t } from '../../i18n/words';

export interface CheckOutcome {
  id: string;
  title: string;
  /** Languages of texts that are not in the page's. */
  title_lang?: string | undefined;
  says_lang?: string | undefined;
  feedback_lang?: string | undefined;
  /** undefined: not known here. */
  passed: boolean | undefined;
  hidden?: boolean;
  points?: number;
  /** What was looked at: an expression, or the name of a file. */
  call?: string;
  got?: string;
  expected?: string;
  error?: string;
  says?: string;
  feedback?: string;
}

/** The checks. Points stand beside each where they differ and add up to those of the lab; else they are only weights. */
export function CheckList({ checks, total }: { checks: readonly CheckOutcome[]; total: number | undefined }) {
  const points = checks.map((check) => check.points ?? 1);
  const weighted = new Set(points).size > 1 && points.reduce((sum, one) => sum + one, 0) === total;
  return (
    <ul class="check-results">
      {checks.map((check) => (
        <CheckView key={check.id} check={check} weighted={weighted} />
      ))}
    </ul>
  );
}

const state = (passed: boolean | undefined) => (passed === undefined ? t('ui.lab.check_unknown') : passed ? t('ui.lab.check_passed') : t('ui.lab.check_failed'));

function CheckView({ check, weighted }: { check: CheckOutcome; weighted: boolean }) {
  const { passed, call, got, expected, error, says, feedback } = check;
  // An exception of Python, or a sentence: "Your code wrote no such file."
  const exception = error && /^[\w.]+(: |$)/.test(error) ? error : '';
  return (
    <li>
      <p class={passed === undefined ? 'open' : passed ? 'tick' : 'cross'}>
        <span>
          <bdi {...spokenIn(check.title_lang)}>{check.title}</bdi>
          <span class="check-state">
            {check.hidden && `${t('ui.lab.check_hidden')} · `}
            {state(passed)}
            {weighted && ` · ${t('ui.lab.check_points', { Count: check.points ?? 1 })}`}
          </span>
        </span>
      </p>
      {passed === false && (
        <div class="check-why">
          {error && !exception && <p dir="auto">{error}</p>}
          {says && (
            <p dir="auto" {...spokenIn(check.says_lang)}>
              {says}
            </p>
          )}
          {feedback && (
            <p dir="auto" {...spokenIn(check.feedback_lang)}>
              {feedback}
            </p>
          )}
          <dl class="check-facts">
            {call && <Fact name={t('ui.lab.call')} value={call} />}
            {exception ? <Fact name={t('ui.lab.raised')} value={exception} /> : got !== undefined && got !== '' && <Fact name={t('ui.lab.got')} value={got} />}
            {expected !== undefined && expected !== '' && <Fact name={t('ui.lab.expected')} value={expected} />}
          </dl>
        </div>
      )}
    </li>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code dir="ltr">{value}</code>
      </dd>
    </div>
  );
}
