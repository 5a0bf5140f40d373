import { useEffect, useMemo, useRef } from 'preact/hooks';
import { me, signedIn } from '../../api/me';
import { context } from '../../context';
import { formatPercent, spokenIn, t } from '../../i18n/words';
import { enrollment, progress, standing, trouble } from '../../learner/enrollment';
import { Join, otherVersion } from '../../learner/join';
import { OutboxNotes } from '../../learner/outbox-notes';
import { Notice } from '../../ui/notice';
import type { Part } from './draw';
import type { Quiz } from './quiz';
import { QuestionView } from './question-view';
import { createTry, type Try } from './state';

export function QuizView({ quiz }: { quiz: Quiz }) {
  const attempt = useMemo(() => createTry(quiz, () => draftKey(quiz)), [quiz]);
  const result = useRef<HTMLDivElement>(null);
  const { phase } = attempt;
  // Each of these may tell whose attempt it is.
  useEffect(() => void attempt.restore(), [attempt, me.value, enrollment.value?.id, progress.value?.enrollment_id, trouble.value]);
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
      {phase.value === 'answering' && <Left attempt={attempt} />}
      {attempt.parts.value.map((part, i) => (
        <Section key={`${attempt.seed.value?.attempt} ${i}`} id={`section-${i + 1}`} part={part} attempt={attempt} />
      ))}
      {!attempt.seed.value && attempt.shared() !== 'wait' && quiz.graded && <p>{t('ui.quiz.join_first')}</p>}
      {attempt.missing.value.size > 0 && (
        <Notice kind="bad">
          <p>{t('ui.quiz.missing', { Count: attempt.missing.value.size })}</p>
        </Notice>
      )}
      {phase.value === 'answering' && may && attempt.seed.value && (
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

/** Questions under a heading of their own, where the quiz gives one. Their numbers go on from section to section. */
function Section({ id, part, attempt }: { id: string; part: Part; attempt: Try }) {
  const all = attempt.questions.value;
  const list = (
    <ol class="quiz-questions">
      {part.questions.map((question) => (
        <QuestionView
          key={question.id}
          question={question}
          number={all.indexOf(question) + 1}
          total={all.length}
          attempt={attempt}
          heading={part.title ? 'h3' : 'h2'}
        />
      ))}
    </ol>
  );
  if (!part.title) return list;
  return (
    <section aria-labelledby={id}>
      <h2 id={id} class="quiz-section" {...spokenIn(part.lang)}>
        {part.title}
      </h2>
      {list}
    </section>
  );
}

/** How far one is through the questions. It stays in sight. */
function Left({ attempt }: { attempt: Try }) {
  const total = attempt.questions.value.length;
  const left = attempt.open.value.length;
  if (total < 2) return null;
  const text = left ? t('ui.quiz.missing', { Count: left }) : t('ui.quiz.all_answered');
  return (
    <div class="bar quiz-left">
      <progress value={total - left} max={total} aria-label={text} />
      <span aria-hidden="true">{text}</span>
    </div>
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
      <button type="button" class="button quiet" onClick={() => restart(attempt)}>
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

function restart(attempt: Try): void {
  attempt.again();
  const first = attempt.questions.value[0];
  if (first) setTimeout(() => document.getElementById(`q-${first.id}`)?.focus());
}

function draftKey(quiz: Quiz): string {
  return `attempt/${signedIn()?.id ?? ''}/${context().course}@${context().version}/${quiz.id}`;
}
