import { useSignal } from '@preact/signals';
import { parseNumber } from '../../i18n/number-input';
import { formatNumber, t } from '../../i18n/words';
import type { Question, Response } from './quiz';
import type { AnswerProps } from './question-view';

/** A number, in the digits of any script, or a few words. */
export function Writing({ question, attempt, label, fixed }: AnswerProps) {
  const given = attempt.responses.value[question.id];
  const typed = useSignal<string | undefined>(undefined);
  const text = typed.value !== undefined && given !== undefined ? typed.value : given === undefined ? (typed.value ?? '') : write(given);
  const odd = question.type === 'number' && text.trim() !== '' && parseNumber(text) === null;
  return (
    <div class="field">
      <input
        type="text"
        inputMode={question.type === 'number' ? 'decimal' : 'text'}
        autoComplete="off"
        autoCapitalize="off"
        maxLength={200}
        dir={question.type === 'number' ? 'ltr' : 'auto'}
        class={question.type}
        aria-labelledby={label}
        aria-invalid={odd}
        aria-describedby={odd ? `${label}-odd` : undefined}
        disabled={fixed}
        value={text}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          attempt.answer(question, read(question, event.currentTarget.value));
        }}
      />
      {odd && (
        <span class="fault" id={`${label}-odd`}>
          {t('ui.quiz.write_number')}
        </span>
      )}
    </div>
  );
}

// A draft holds the number, not how it was typed.
function write(given: Response): string {
  return typeof given === 'number' ? formatNumber(given, { useGrouping: false, maximumFractionDigits: 15 }) : String(given);
}

// What is no number goes as no answer, so that handing in asks for one.
function read(question: Question, text: string): Response {
  return question.type === 'text' ? text : (parseNumber(text) ?? '');
}
