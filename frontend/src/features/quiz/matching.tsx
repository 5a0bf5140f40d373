import { spokenIn, t } from '../../i18n/words';
import type { AnswerProps } from './question-view';
import type { Option } from './quiz';

export function Matching({ question, attempt, label, fixed }: AnswerProps) {
  const given = (attempt.responses.value[question.id] ?? {}) as Record<string, string>;
  return (
    <div role="group" aria-labelledby={label}>
      {(question.lefts ?? []).map((left) => (
        <label key={left.id} class="field match">
          <span {...spokenIn(left.lang)}>{left.text}</span>
          <select
            disabled={fixed}
            value={given[left.id] ?? ''}
            onChange={(event) => attempt.answer(question, { ...given, [left.id]: event.currentTarget.value })}
          >
            <option value="">{t('ui.quiz.choose')}</option>
            {(question.rights ?? []).map((right) => (
              <option key={right.id} value={right.id} {...spokenIn(right.lang)}>
                {right.text}
              </option>
            ))}
          </select>
          {/* A phone cuts long options short: the chosen one stands here in full. */}
          <Chosen of={question.rights?.find((right) => right.id === given[left.id])} />
        </label>
      ))}
    </div>
  );
}

function Chosen({ of }: { of: Option | undefined }) {
  return <small {...spokenIn(of?.lang)}>{of?.text}</small>;
}
