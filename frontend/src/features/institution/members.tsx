import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { loadMe, signedIn } from '../../api/me';
import { t } from '../../i18n/words';
import { Devices } from '../../ui/devices';
import { Notice, Trouble } from '../../ui/notice';
import { List, usePages } from '../../ui/pages';
import { useTask } from '../../ui/task';
import { EraseMember } from './erase-member';
import { NewMember } from './new-member';
import { roles, type Role } from './roles';

type Member = Schemas['Member'];

/** Who belongs to the institution, and in which roles. */
export function Members({ institution }: { institution: string }) {
  const path = '/api/institutions/{institution_id}/members' as const;
  const pages = usePages<Member>((cursor) =>
    ask(api.GET(path, { params: { path: { institution_id: institution }, query: { cursor } } })),
  );
  const erased = useSignal('');
  const top = useRef<HTMLDivElement>(null);
  const forget = (name: string) => {
    erased.value = name;
    void pages.reload();
    top.current?.focus();
  };
  return (
    <>
      <div ref={top} tabIndex={-1}>
        {erased.value && (
          <Notice kind="good">
            <p>{t('ui.app.members.erased', { Name: erased.value })}</p>
          </Notice>
        )}
      </div>
      <List of={pages} empty={<p>{t('ui.app.members.none')}</p>}>
        {(member) => <Row key={member.user_id} institution={institution} member={member} onChanged={pages.reload} onErased={forget} />}
      </List>
      <NewMember institution={institution} onCreated={() => void pages.reload()} />
    </>
  );
}

interface RowProps {
  institution: string;
  member: Member;
  onChanged: () => Promise<void>;
  onErased: (name: string) => void;
}

function Row({ institution, member, onChanged, onErased }: RowProps) {
  const task = useTask();
  const opened = useSignal(false);
  const erasing = useSignal(false);
  const devices = () =>
    ask(api.GET('/api/institutions/{institution_id}/members/{user_id}/devices', { params: { path: { institution_id: institution, user_id: member.user_id } } }));
  const revoke = (id: string) => ask(api.DELETE('/api/devices/{device_id}', { params: { path: { device_id: id } } }));
  const toggle = (role: Role) =>
    task.run(async () => {
      const params = { path: { institution_id: institution, user_id: member.user_id, role } };
      const path = '/api/institutions/{institution_id}/members/{user_id}/roles/{role}' as const;
      await ask(member.roles.includes(role) ? api.DELETE(path, { params }) : api.PUT(path, { params }));
      if (member.user_id === signedIn()?.id) await loadMe(true);
      await onChanged();
    });
  return (
    <li>
      <span class="row-what">
        <strong>
          <bdi>{member.display_name}</bdi>
        </strong>
        <span class="small">
          <bdi translate={false}>{member.username}</bdi>
        </span>
      </span>
      <fieldset class="boxes role-boxes">
        <legend class="unseen">{t('ui.app.members.roles_of', { Name: member.display_name })}</legend>
        {roles.map((role) => (
          <label key={role}>
            <input
              type="checkbox"
              checked={member.roles.includes(role)}
              aria-disabled={task.busy.value}
              onChange={(event) => {
                // The box follows what the server says, not what was pressed.
                event.currentTarget.checked = member.roles.includes(role);
                void toggle(role);
              }}
            />
            <span>{t(`ui.app.role.${role}`)}</span>
          </label>
        ))}
      </fieldset>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      <details class="cause" onToggle={(event) => (opened.value = event.currentTarget.open)}>
        <summary>
          {t('ui.device.of')}
          <span class="unseen"> {member.display_name}</span>
        </summary>
        {opened.value && <Devices load={devices} revoke={revoke} />}
      </details>
      {/* One's own account is erased on the account page, with the password. */}
      {member.user_id !== signedIn()?.id && (
        <details class="cause" onToggle={(event) => (erasing.value = event.currentTarget.open)}>
          <summary>
            {t('ui.app.members.erase')}
            <span class="unseen"> {member.display_name}</span>
          </summary>
          {erasing.value && <EraseMember institution={institution} member={member} onErased={() => onErased(member.display_name)} />}
        </details>
      )}
    </li>
  );
}
