import { api, ask, type Schemas } from '../../api/client';
import { formatDate, locale, spokenIn, t } from '../../i18n/words';
import { ConfirmButton } from '../../ui/confirm-button';
import { Trouble } from '../../ui/notice';
import { List, usePages } from '../../ui/pages';
import { useTask } from '../../ui/task';
import { NewRecognition, nearest } from './new-recognition';
import { rolesIn } from './roles';

type Recognition = Schemas['Recognition'];

/** What the institution recognises of others. */
export function Recognitions({ institution }: { institution: string }) {
  const pages = usePages<Recognition>((cursor) => ask(api.GET('/api/recognitions', { params: { query: { by: institution, cursor } } })));
  const admin = rolesIn(institution).has('admin');
  return (
    <>
      <p>{t('ui.app.recognitions.about')}</p>
      <p>
        <a href={`/${locale()}/recognitions`}>{t('ui.app.recognitions.registry')}</a>
      </p>
      <List of={pages} empty={<p>{t('ui.app.recognitions.none')}</p>}>
        {(one) => <Row key={one.id} institution={institution} one={one} admin={admin} onEnded={() => void pages.reload()} />}
      </List>
      {admin && <NewRecognition institution={institution} onSigned={() => void pages.reload()} />}
    </>
  );
}

interface RowProps {
  institution: string;
  one: Recognition;
  admin: boolean;
  onEnded: () => void;
}

function Row({ institution, one, admin, onEnded }: RowProps) {
  const task = useTask();
  const { id, of_name: name, of_did: did, standing, created_at: since, valid_until: until, ended_at: ended } = one;
  const as = nearest(one.as);
  const end = () =>
    task.run(async () => {
      const path = { institution_id: institution, recognition_id: id };
      await ask(api.DELETE('/api/institutions/{institution_id}/recognitions/{recognition_id}', { params: { path } }));
      onEnded();
    });
  const about = <span class="unseen"> {name}</span>;
  return (
    <li>
      <span class="row-what">
        <strong>
          <bdi lang="" dir="auto">
            {name}
          </bdi>
        </strong>
        <span class="small">
          <bdi translate={false}>{did}</bdi>
        </span>
        <span class="small">
          <bdi {...spokenIn(as.lang)}>{t('ui.app.recognitions.as', { Name: as.text })}</bdi>
        </span>
        <span class="small">{t('ui.app.recognitions.since', { Date: formatDate(since) })}</span>
        {until && standing === 'valid' && <span class="small">{t('ui.app.recognitions.until', { Date: formatDate(until) })}</span>}
        {ended && <span class="small">{t('ui.app.recognitions.ended', { Date: formatDate(ended) })}</span>}
        {(standing === 'expired' || standing === 'key_revoked' || standing === 'invalid') && <span class="small">{t(`ui.app.recognitions.${standing}`)}</span>}
        {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      </span>
      <span class="buttons">
        <a class="button quiet" href={`/${locale()}/recognitions/${id}`}>
          {t('ui.app.recognitions.page')}
          {about}
        </a>
        <a class="button quiet" href={`/api/recognitions/${id}`} download={`recognition-${id}.json`}>
          {t('ui.app.recognitions.document')}
          {about}
        </a>
        {admin && !ended && (
          <ConfirmButton ask={t('ui.app.recognitions.end')} sure={t('ui.app.recognitions.end_sure')} about={name} danger onConfirm={() => void end()} />
        )}
      </span>
    </li>
  );
}
