import { signedIn } from '../../api/me';
import type { Schemas } from '../../api/client';

export type Role = Schemas['Role'];
export const roles: readonly Role[] = ['learner', 'trainer', 'issuer', 'admin'];

export type TabName =
  | 'learners'
  | 'courses'
  | 'awards'
  | 'certificates'
  | 'criteria'
  | 'issuers'
  | 'recognitions'
  | 'members'
  | 'labs'
  | 'languages'
  | 'template'
  | 'profile'
  | 'keys'
  | 'audit';

/** Who may do what, as x-permission in the contract says; the server decides, this only spares a walk into a wall. */
const allowed: Record<TabName, readonly (Role | 'operator')[]> = {
  learners: ['trainer', 'admin', 'operator'],
  courses: ['trainer', 'admin', 'operator'],
  awards: ['issuer', 'admin', 'operator'],
  certificates: ['issuer', 'admin', 'operator'],
  criteria: ['trainer', 'issuer', 'admin', 'operator'],
  issuers: ['issuer', 'admin', 'operator'],
  recognitions: ['issuer', 'admin', 'operator'],
  members: ['admin', 'operator'],
  labs: ['trainer', 'admin', 'operator'],
  languages: ['admin', 'operator'],
  template: ['admin', 'operator'],
  profile: ['admin', 'operator'],
  keys: ['admin', 'operator'],
  audit: ['admin', 'operator'],
};

export function rolesIn(institution: string): Set<Role | 'operator'> {
  const person = signedIn();
  const found = new Set<Role | 'operator'>();
  for (const one of person?.memberships ?? []) if (one.institution_id === institution) found.add(one.role);
  if (person?.operator) found.add('operator');
  return found;
}

export function tabsFor(held: ReadonlySet<Role | 'operator'>): TabName[] {
  return (Object.keys(allowed) as TabName[]).filter((tab) => allowed[tab].some((role) => held.has(role)));
}
