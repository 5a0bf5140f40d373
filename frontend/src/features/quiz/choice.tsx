import { spokenIn, t } from '../../i18n/words';
import type { AnswerProps } from './question-view';

/** One option, or several. After marking, what is said to each chosen option stands beneath it. */
export function Choice({ question, attempt, label, fixed }: AnswerProps) {
  const one = question.type === 'single';
  const given = attempt.responses.value[question.id];
  const chosen = (id: string) => (one ? given === id : Array.isArray(given) && given.includes(id));
  const toggle = (id: string, on: boolean) => {
    if (one) return attempt.answer(question, id);
    const before = Array.isArray(given) ? given.filter((other) => other !== id) : [];
    attempt.answer(question, on ? [...before, id] : before);
  };
  return (
    <div role={one ? 'radiogroup' : 'group'} aria-labelledby={label} class="choices">
      {!one && <p class="small">{t('ui.quiz.several')}</p>}
      {(question.options ?? []).map((option) => (
        <div key={option.id} class={`choice${chosen(option.id) ? ' chosen' : ''}`}>
          <label>
            <input
              type={one ? 'radio' : 'checkbox'}
              name={`${question.id}`}
              value={option.id}
              checked={chosen(option.id)}
              disabled={fixed}
              onChange={(event) => toggle(option.id, event.currentTarget.checked)}
            />
            <span {...spokenIn(option.lang)}>{option.text}</span>
          </label>
          {attempt.marked.value && chosen(option.id) && option.feedback && (
            <p class="choice-feedback" {...spokenIn(option.feedback_lang)}>
              {option.feedback}
            </p>
          )}
        </div>
      ))}
    </div>
  );
}
