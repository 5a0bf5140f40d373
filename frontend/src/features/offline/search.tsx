import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { openIndex, type Hit, type Index } from '../../offline/search';
import { locale, spokenIn, t } from '../../i18n/words';
import { Field } from '../../ui/field';

/** Searches the courses on this device while the learner types. */
export function Search() {
  const asked = useSignal('');
  const found = useSignal<readonly Hit[] | undefined>(undefined);
  // Read when the first letters are typed, and gone with the screen.
  const index = useRef<Promise<Index> | undefined>(undefined);
  useEffect(() => {
    const wish = asked.value.trim();
    if (wish.length < 2) {
      found.value = undefined;
      return;
    }
    const timer = setTimeout(() => {
      index.current ??= openIndex(locale());
      index.current.then(
        (all) => {
          if (wish === asked.peek().trim()) found.value = all.find(wish);
        },
        () => (found.value = []),
      );
    }, 250);
    return () => clearTimeout(timer);
  }, [asked.value]);
  const hits = found.value;
  return (
    <section role="search">
      <Field label={t('ui.offline.search')} type="search" value={asked.value} onValue={(value) => (asked.value = value)} />
      <p role="status">{hits && t('ui.offline.search.found', { Count: hits.length })}</p>
      {hits && hits.length > 0 && (
        <ul class="found">
          {hits.map((hit) => (
            <li key={`${hit.course}/${hit.item}`} {...spokenIn(hit.locale === locale() ? undefined : hit.locale)}>
              <a href={`/${locale()}/courses/${hit.course}/${hit.item}`}>{hit.title}</a>
              <p>
                {hit.snippet ? (
                  <>
                    {hit.snippet[0]}
                    <mark>{hit.snippet[1]}</mark>
                    {hit.snippet[2]}
                  </>
                ) : (
                  hit.course_title
                )}
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
