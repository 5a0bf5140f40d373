import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import words from 'virtual:words/verify';
import type { Schemas } from '../../api/client';
import { loadWords, locale, t } from '../../i18n/words';
import { Recognised } from './recognised';

/** What a learner's certificate is worth elsewhere. Nothing where nobody recognises it. */
export function Worth({ of }: { of: readonly Schemas['Recognised'][] | undefined }) {
  const ready = useSignal(false);
  const some = !!of?.length;
  useEffect(() => {
    if (some) void loadWords(locale(), words).then(() => (ready.value = true));
  }, [some]);
  if (!of || !some || !ready.value) return null;
  return (
    <details class="worth">
      <summary>{t('ui.app.recognised')}</summary>
      <Recognised
        of={of.map(({ by, by_name: name, by_name_lang: lang, as, scope, conditions, valid_until: until, known_from: from, known_at: at }) => ({
          by,
          byNames: { [lang ?? 'und']: name },
          as,
          scope,
          conditions,
          until,
          known: from === 'here' ? undefined : at,
        }))}
      />
    </details>
  );
}
