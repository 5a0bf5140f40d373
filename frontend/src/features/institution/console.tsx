import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/words';
import { Tab } from '../../nav';
import { place } from '../../router';
import { Awards } from './awards';
import { Criteria } from './criteria';
import { Issuers } from './issuers';
import { labFaults, loadFaults } from './faults';
import { Issued } from './issued';
import { Labs } from './labs';
import { Audit } from './trail/audit';
import { Keys } from './trail/keys';
import { Languages } from './languages';
import { Learners } from './learners';
import { Members } from './members';
import { Profile } from './profile/profile';
import { Publish } from './publish';
import { Recognitions } from './recognitions';
import { rolesIn, tabsFor, type TabName } from './roles';
import { Template } from './template';

const screens: Record<TabName, ComponentType<{ institution: string }>> = {
  learners: Learners,
  courses: Publish,
  awards: Awards,
  certificates: Issued,
  criteria: Criteria,
  issuers: Issuers,
  recognitions: Recognitions,
  members: Members,
  labs: Labs,
  languages: Languages,
  template: Template,
  profile: Profile,
  keys: Keys,
  audit: Audit,
};

/** What a trainer, an issuer or an admin does in their institution. */
export default function Console({ id = '', tab }: { id?: string; tab?: string }) {
  const tabs = tabsFor(rolesIn(id));
  const labs = tabs.includes('labs');
  // The number in the tabs is a service: without it the console works all the same.
  useEffect(() => {
    if (labs) void loadFaults(id).catch(() => undefined);
  }, [id, labs]);
  const now = tabs.find((one) => one === tab) ?? tabs[0];
  if (!now || (tab && now !== tab)) return <p class="lead">{t('ui.app.console.not_yours')}</p>;
  const Screen = screens[now];
  return (
    <>
      <nav class="tabs inner" aria-label={t('ui.app.nav.institution')}>
        {tabs.map((one) => (
          <TabLink key={one} id={id} tab={one} first={one === tabs[0]} />
        ))}
      </nav>
      <h2>{t(`ui.app.console.${now}`)}</h2>
      <Screen institution={id} />
    </>
  );
}

// The first tab is also what stands at the institution's own address.
function TabLink({ id, tab, first }: { id: string; tab: TabName; first: boolean }) {
  const bare = `/app/institutions/${id}`;
  const count = tab === 'labs' ? (labFaults.value?.length ?? 0) : 0;
  const badge = count > 0 ? { count, about: t('ui.app.labs.count', { Count: count }) } : undefined;
  const atBare = place.value.path.replace(/\/$/, '') === bare;
  return <Tab href={first && atBare ? bare : `${bare}/${tab}`} name={t(`ui.app.console.${tab}`)} exact badge={badge} />;
}
