import { api, ask, type Schemas } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { ConfirmButton } from '../../ui/confirm-button';
import { Trouble } from '../../ui/notice';
import { List, usePages } from '../../ui/pages';
import { useTask } from '../../ui/task';
import { deviceOf } from './device';

export function Sessions() {
  const pages = usePages<Schemas['Session']>(() => ask(api.GET('/api/sessions')));
  const task = useTask();
  const end = (id: string) =>
    task.run(async () => {
      await ask(api.DELETE('/api/sessions/{session_id}', { params: { path: { session_id: id } } }));
      await pages.reload();
    });
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{t('ui.app.account.sessions')}</h2>
      <p>{t('ui.app.account.sessions_about')}</p>
      <List of={pages} empty={null}>
        {(session) => (
          <li key={session.id}>
            <span class="row-what">
              <strong>{deviceOf(session.user_agent) || t('ui.app.account.unknown_device')}</strong>
              <span class="small">{t('ui.app.account.last_seen', { Date: formatDate(session.last_seen_at, true) })}</span>
            </span>
            {session.current ? (
              <span class="chip">{t('ui.app.account.this_device')}</span>
            ) : (
              <ConfirmButton
                ask={t('ui.app.account.end_session')}
                sure={t('ui.app.sure')}
                about={deviceOf(session.user_agent)}
                onConfirm={() => void end(session.id)}
              />
            )}
          </li>
        )}
      </List>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </section>
  );
}
