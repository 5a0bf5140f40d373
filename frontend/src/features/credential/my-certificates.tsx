import { api, ask, type Schemas } from '../../api/client';
import { formatDate, locale, spokenIn, t } from '../../i18n/words';
import { List, usePages } from '../../ui/pages';

type Credential = Schemas['Credential'];

export default function MyCertificates() {
  const pages = usePages<Credential>((cursor) => ask(api.GET('/api/credentials', { params: { query: { cursor } } })));
  return (
    <>
      <p class="lead">{t('ui.app.certificates.about')}</p>
      <List of={pages} empty={<p>{t('ui.app.certificates.none')}</p>}>
        {(credential) => <CredentialRow key={credential.id} credential={credential} />}
      </List>
    </>
  );
}

function CredentialRow({ credential }: { credential: Credential }) {
  const { id, institution, issued_at: issued, standing } = credential;
  const achievement = <bdi {...spokenIn(credential.achievement_lang)}>{credential.achievement}</bdi>;
  const page = `/${locale()}/verify/${id}`;
  return (
    <li>
      <span class="row-what">
        <strong>{achievement}</strong>
        <span class="small">{t('ui.app.certificates.issued', { Institution: institution, Date: formatDate(issued) })}</span>
        <span class="standing-chip">
          <span class={`chip ${standing}`}>{t(`ui.app.standing.${standing}`)}</span>
        </span>
        {credential.revoked_reason && <span class="small">{credential.revoked_reason}</span>}
      </span>
      <span class="buttons">
        <a class="button quiet" href={page}>
          {t('ui.app.certificates.view')}
          <span class="unseen"> {achievement}</span>
        </a>
        <a class="button quiet" href={`${page}#print`}>
          {t('ui.app.certificates.print')}
          <span class="unseen"> {achievement}</span>
        </a>
        <a class="button quiet" href={`/api/credentials/${id}`} download={`${credential.course_id}-${id}.json`}>
          {t('ui.app.certificates.download')}
          <span class="unseen"> {achievement}</span>
        </a>
      </span>
    </li>
  );
}
