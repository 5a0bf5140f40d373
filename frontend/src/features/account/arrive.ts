import { me, type Me } from '../../api/me';
import { actFor } from '../../api/client';
import { locale, locales } from '../../i18n/words';
import { rememberLanguage } from '../../language';
import { nextPath } from '../../next';
import { open } from '../../offline/outbox';
import { current, find, lock } from '../../offline/people';
import { unlockByPassword } from '../../offline/people/pin';
import { renew } from '../../offline/people/register';
import { go, place } from '../../router';
import { deviceName } from './device';

/** Somebody has just signed in with the password. A device that knows them opens what it has of theirs; another asks whose it is. */
export async function arrive(person: Me, password: string): Promise<void> {
  const known = await find(person.id).catch(() => undefined);
  if (!known) {
    // Somebody else may have been at it.
    await lock().catch(() => undefined);
    actFor('');
    return settle(person, `/app/device?next=${encodeURIComponent(nextPath(place.value.search))}`);
  }
  if ((await current())?.user !== person.id) await unlockByPassword(person.id, password);
  actFor(person.id);
  if (known.kind !== 'public') await renew(person, deviceName());
  settle(person);
}

/** On to where they were going, in their language. */
export function settle(person: Me, next = nextPath(place.value.search)): void {
  const speaks = person.locale;
  if (speaks && speaks !== locale() && locales().includes(speaks) && next.startsWith('/app')) {
    rememberLanguage(speaks);
    location.assign(next);
    return;
  }
  me.value = person;
  void open(person.id);
  // The header belongs to the page around the app: a page of its own shows who is here.
  if (next.startsWith('/app')) go(next, true);
  else location.replace(next);
}
