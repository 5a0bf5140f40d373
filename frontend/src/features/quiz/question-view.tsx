import { spokenIn, t } from '../../i18n/words';
import { Choice } from './choice';
import { Matching } from './matching';
import { Ordering } from './ordering';
import type { Question } from './quiz';
import type { Try } from './state';
import { Writing } from './writing';

export interface AnswerProps {
  question: Question;
  attempt: Try;
  /** The id of the element that holds the question's words. */
  label: string;
  fixed: boolean;
}

const answers = { single: Choice, multiple: Choice, order: Ordering, match: Matching, number: Writing, text: Writing };

interface Props {
  question: Question;
  number: number;
  total: number;
  attempt: Try;
  /** The rank of its heading: below the section's, where that has one. */
  heading: 'h2' | 'h3';
}

export function QuestionView({ heading: Heading, ...props }: Props) {
  const { question, attempt } = props;
  const label = `q-${question.id}`;
  const marked = attempt.marked.value?.questions.find(({ id }) => id === question.id);
  const Answer = answers[question.type];
  const missing = attempt.missing.value.has(question.id);
  const state = marked ? (marked.correct ? ' right' : ' wrong') : '';
  return (
    <li class={`question-card${state}${missing ? ' missing' : ''}`}>
      <p class="small question-number">{t('ui.quiz.question', { Number: props.number, Total: props.total })}</p>
      <Heading id={label} tabIndex={-1} class="prompt" {...spokenIn(question.lang)}>
        {question.prompt}
      </Heading>
      <Answer question={question} attempt={attempt} label={label} fixed={attempt.phase.value !== 'answering'} />
      {missing && <p class="fault">{t('ui.quiz.answer_this')}</p>}
      {marked && (
        <div class="marked">
          <p class={marked.correct ? 'tick' : 'cross'}>{t(marked.correct ? 'ui.quiz.correct' : 'ui.quiz.incorrect')}</p>
          {(marked.feedback ?? []).map((text, i) => (
            <p {...spokenIn(marked.feedback_lang?.[i])}>{text}</p>
          ))}
        </div>
      )}
    </li>
  );
}
