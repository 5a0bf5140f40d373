// A list of devices with the way to revoke one: a learner's own, or those of somebody in an institution.
import type { Schemas } from '../api/client';
import { formatDate, t } from '../i18n/words';
import { ConfirmButton } from './confirm-button';
import { Trouble } from './notice';
import { List, usePages } from './pages';
import { useTask } from './task';

type Device = Schemas['Device'];

interface Props {
  load: () => Promise<{ items: Device[] }>;
  revoke: (id: string) => Promise<unknown>;
}

export function Devices({ load, revoke }: Props) {
  const pages = usePages<Device>(load);
  const task = useTask();
  const end = (id: string) =>
    task.run(async () => {
      await revoke(id);
      await pages.reload();
    });
  return (
    <>
      <List of={pages} empty={<p>{t('ui.device.none')}</p>}>
        {(device) => (
          <li key={device.id}>
            <span class="row-what">
              <strong>
                <bdi>{device.name}</bdi>
              </strong>
              <span class="small">{t('ui.app.account.last_seen', { Date: formatDate(device.last_seen_at) })}</span>
              <span class="small">
                {Date.parse(device.lease_until) > Date.now() ? t('ui.device.until', { Date: formatDate(device.lease_until) }) : t('ui.device.over')}
              </span>
            </span>
            {device.current && <span class="chip">{t('ui.app.account.this_device')}</span>}
            <ConfirmButton ask={t('ui.device.revoke')} sure={t('ui.app.sure')} about={device.name} danger onConfirm={() => void end(device.id)} />
          </li>
        )}
      </List>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </>
  );
}
