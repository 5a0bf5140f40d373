import { signal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';

export type LabFault = Schemas['LabFault'];

/** Labs at fault of the institution whose console is open; undefined until they are known. */
export const labFaults = signal<readonly LabFault[] | undefined>(undefined);

let of = '';

/** Asks for the labs at fault. What was known of another institution is forgotten first. */
export async function loadFaults(institution: string): Promise<void> {
  if (of !== institution) labFaults.value = undefined;
  of = institution;
  const params = { path: { institution_id: institution } };
  const { items } = await ask(api.GET('/api/institutions/{institution_id}/lab-faults', { params }));
  if (of === institution) labFaults.value = items;
}
