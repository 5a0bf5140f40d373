import { useEffect, useMemo, useRef } from 'preact/hooks';
import { me, signedIn } from '../../api/me';
import { context } from '../../context';
import { formatPercent, t } from '../../i18n/words';
import { enrollment, standing } from '../../learner/enrollment';
import { Join, otherVersion } from '../../learner/join';
import { OutboxNotes } from '../../learner/outbox-notes';
import { Notice } from '../../ui/notice';
import type { Quiz } from './quiz';
import { QuestionView } from './question-view';
import { createTry, type Try } from './state';

export function QuizView({ quiz }: { quiz: Quiz }) {
  const attempt = useMemo(() => createTry(quiz, () => draftKey(quiz)), [quiz]);
  const result = useRef<HTMLDivElement>(null);
  const { phase } = attempt;
  const person = signedIn()?.id;
  useEffect(() => void attempt.restore(), [attempt, person, enrollment.value?.id]);
  useEffect(() => {
    if (phase.value === 'marked') result.current?.focus();
  }, [phase.value]);
  const may = !quiz.graded || (enrollment.value && !otherVersion());

  const handIn = (event: Event) => {
    event.preventDefault();
    const open = attempt.handIn();
    if (open) document.getElementById(`q-${open.id}`)?.focus();
  };

  return (
    <form class="quiz-form" noValidate onSubmit={handIn}>
      <About quiz={quiz} />
      <ol class="quiz-questions">
        {quiz.questions.map((question, i) => (
          <QuestionView key={question.id} question={question} number={i + 1} total={quiz.questions.length} attempt={attempt} />
        ))}
      </ol>
      {attempt.missing.value.size > 0 && (
        <Notice kind="bad">
          <p>{t('ui.quiz.missing', { Count: attempt.missing.value.size })}</p>
        </Notice>
      )}
      {phase.value === 'answering' && may && (
        <button type="submit" class="button wide">
          {quiz.graded ? t('ui.quiz.hand_in') : t('ui.quiz.check')}
        </button>
      )}
      <div ref={result} tabIndex={-1} class="result">
        <Result quiz={quiz} attempt={attempt} />
      </div>
      {me.value !== undefined && <Join />}
      <OutboxNotes />
    </form>
  );
}

function About({ quiz }: { quiz: Quiz }) {
  const best = standing.value.get(quiz.id)?.score;
  return (
    <p class="lead">
      {t(quiz.graded ? 'ui.quiz.graded' : 'ui.quiz.practice', { Pass: formatPercent(quiz.pass) })}{' '}
      {best !== undefined && t('ui.quiz.best', { Score: formatPercent(best) })}
    </p>
  );
}

function Result({ quiz, attempt }: { quiz: Quiz; attempt: Try }) {
  const { phase, marked, reason } = attempt;
  if (phase.value === 'answering') return null;
  const again = (
    <p>
      <button type="button" class="button quiet" onClick={() => restart(attempt, quiz)}>
        {t('ui.quiz.again')}
      </button>
    </p>
  );
  if (phase.value === 'sending') return <Notice>{t('ui.quiz.sending')}</Notice>;
  if (phase.value === 'kept') return <Notice>{t('ui.quiz.kept')}</Notice>;
  if (phase.value === 'rejected') {
    return (
      <Notice kind="bad">
        <p>{reason.value || t('ui.broken')}</p>
        {again}
      </Notice>
    );
  }
  const got = marked.value;
  if (!got) {
    return (
      <Notice kind="good">
        <p>{t('ui.quiz.received')}</p>
        {again}
      </Notice>
    );
  }
  const right = got.questions.filter(({ correct }) => correct).length;
  return (
    <Notice kind={got.passed ? 'good' : 'plain'}>
      <p class="result-score">{formatPercent(got.score)}</p>
      <p>
        {t('ui.quiz.right', { Count: right, Total: got.questions.length })}{' '}
        {got.passed ? t('ui.quiz.passed') : t('ui.quiz.not_passed', { Pass: formatPercent(quiz.pass) })}
      </p>
      {again}
    </Notice>
  );
}

function restart(attempt: Try, quiz: Quiz): void {
  attempt.again();
  const first = quiz.questions[0];
  if (first) setTimeout(() => document.getElementById(`q-${first.id}`)?.focus());
}

function draftKey(quiz: Quiz): string {
  return `quiz/${signedIn()?.id ?? ''}/${context().course}@${context().version}/${quiz.id}`;
}
