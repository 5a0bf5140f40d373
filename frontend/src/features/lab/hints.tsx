// Hints come one after another, when they are asked for: who needs the first seldom needs the last.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { spokenIn, t } from '../../i18n/words';
import { keep, kept } from '../../offline/shelf';
import { langOf, type Lab } from './lab';

interface Props {
  lab: Lab;
  /** Where the device keeps how many were asked for. */
  id: string;
}

export function Hints({ lab, id }: Props) {
  const hints = lab.hints ?? [];
  const asked = useSignal(0);
  useEffect(() => {
    void kept<number>('drafts', id).then((count) => (asked.value = count ?? 0));
  }, [id, asked]);
  if (!hints.length) return null;
  const next = asked.value + 1;
  return (
    <section class="hints" aria-labelledby="hints">
      <h2 id="hints">{t('ui.lab.hints')}</h2>
      <ol aria-live="polite">
        {hints.slice(0, asked.value).map((hint, i) => (
          <li>
            <bdi {...spokenIn(langOf(lab, `hint.${i + 1}`))}>{hint}</bdi>
          </li>
        ))}
      </ol>
      {next <= hints.length && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            asked.value = next;
            void keep('drafts', id, next);
          }}
        >
          {t('ui.lab.hint_next', { Number: next, Total: hints.length })}
        </button>
      )}
    </section>
  );
}
