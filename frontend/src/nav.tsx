import { useEffect, useRef } from 'preact/hooks';
import { signedIn, type Me } from './api/me';
import { t } from './i18n/words';
import { place } from './router';

/** The institutions in which a person has more to do than learn. */
export function staffed(person: Me): Map<string, string> {
  const roles = person.memberships.filter(({ role }) => role !== 'learner');
  return new Map(roles.map((one) => [one.institution_id, one.institution_name]));
}

/** The main ways inside /app/. */
export function Nav() {
  const person = signedIn();
  if (!person) return null;
  return (
    <nav class="tabs" aria-label={t('ui.app.nav.label')}>
      <Tab href="/app/" name={t('ui.app.nav.courses')} exact />
      <Tab href="/app/certificates" name={t('ui.app.nav.certificates')} />
      {person.operator && <Tab href="/app/institutions" name={t('ui.app.nav.institutions')} exact />}
      {Array.from(staffed(person), ([id, name]) => (
        <Tab key={id} href={`/app/institutions/${id}`} name={name} />
      ))}
      <Tab href="/app/account" name={t('ui.app.nav.account')} />
    </nav>
  );
}

export function Tab({ href, name, exact = false }: { href: string; name: string; exact?: boolean }) {
  const link = useRef<HTMLAnchorElement>(null);
  const path = place.value.path.replace(/\/$/, '');
  const want = href.replace(/\/$/, '');
  const here = path === want || (!exact && path.startsWith(`${want}/`));
  // On a phone the tabs are wider than the screen: the one in force is always to be seen.
  useEffect(() => {
    if (here) link.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [here]);
  return (
    <a href={href} ref={link} aria-current={here ? 'page' : undefined}>
      {name}
    </a>
  );
}
