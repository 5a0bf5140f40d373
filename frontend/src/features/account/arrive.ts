import { me, type Me } from '../../api/me';
import { locale, locales } from '../../i18n/words';
import { languageChosen, rememberLanguage } from '../../language';
import { nextPath } from '../../next';
import { open } from '../../offline/outbox';
import { go, place } from '../../router';

/** Somebody has just signed in: on to where they were going, in their language. */
export function arrive(person: Me): void {
  const next = nextPath(place.value.search);
  // What was chosen on this device goes before the institution's; the server would do the same.
  const speaks = person.locale ?? (languageChosen() ? undefined : person.institution_locale);
  if (speaks && speaks !== locale() && locales().includes(speaks) && next.startsWith('/app')) {
    if (person.locale) rememberLanguage(speaks);
    location.assign(next);
    return;
  }
  me.value = person;
  void open(person.id);
  // The header belongs to the page around the app: a page of its own shows who is here.
  if (next.startsWith('/app')) go(next, true);
  else location.replace(next);
}
