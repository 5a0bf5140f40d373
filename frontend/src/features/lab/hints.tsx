// Hints come one after another, when they are asked for: who needs the first seldom needs the last.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/words';
import { keep, kept } from '../../offline/shelf';

/** `id` is where the device keeps how many were asked for. */
export function Hints({ hints, id }: { hints: string[]; id: string }) {
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
        {hints.slice(0, asked.value).map((hint) => (
          <li>
            <bdi>{hint}</bdi>
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
