import { useEffect, useRef } from 'preact/hooks';
import { signedIn, type Me } from './api/me';
import { formatNumber, t } from './i18n/words';
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
      {person.operator && <Tab href="/app/jobs" name={t('ui.app.nav.jobs')} />}
      {Array.from(staffed(person), ([id, name]) => (
        <Tab key={id} href={`/app/institutions/${id}`} name={name} />
      ))}
      <Tab href="/app/offline" name={t('ui.app.nav.offline')} />
      <Tab href="/app/account" name={t('ui.app.nav.account')} />
    </nav>
  );
}

interface TabProps {
  href: string;
  name: string;
  exact?: boolean;
  /** A number that asks for attention, and the words for those who do not see where it stands. */
  badge?: { count: number; about: string } | undefined;
}

export function Tab({ href, name, exact = false, badge }: TabProps) {
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
      {badge && (
        <>
          <span class="badge" aria-hidden="true">
            {formatNumber(badge.count)}
          </span>
          <span class="unseen"> {badge.about}</span>
        </>
      )}
    </a>
  );
}
