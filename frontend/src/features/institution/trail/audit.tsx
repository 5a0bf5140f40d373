import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../../api/client';
import { formatDate, t } from '../../../i18n/words';
import { List, usePages } from '../../../ui/pages';

type Entry = Schemas['AuditEntry'];

/** What was done in the institution, in words, and the means to check it elsewhere. */
export function Audit({ institution }: { institution: string }) {
  const head = useSignal<Schemas['AuditHead'] | undefined>(undefined);
  const pages = usePages<Entry>(async (cursor) => {
    const params = { path: { institution_id: institution }, query: { cursor } };
    // Without a format it is never the lines of an export.
    const page = (await ask(api.GET('/api/institutions/{institution_id}/audit', { params }))) as Schemas['AuditList'];
    if (!cursor) head.value = page.head;
    return page;
  });
  return (
    <>
      <p>{t('ui.app.audit.about')}</p>
      {head.value && head.value.n > 0 && (
        <div class="panel">
          <p>
            {t('ui.app.audit.head', { N: head.value.n })}
            <br />
            <code class="long" dir="ltr">
              {head.value.n}:{head.value.hash}
            </code>
          </p>
          <p class="small">{t('ui.app.audit.head_hint')}</p>
          <a class="button quiet" href={`/api/institutions/${institution}/audit?format=jsonl`} download>
            {t('ui.app.audit.export')}
          </a>
        </div>
      )}
      <List of={pages} empty={<p>{t('ui.app.audit.none')}</p>}>
        {(entry) => <Row key={entry.n} entry={entry} />}
      </List>
    </>
  );
}

function Row({ entry }: { entry: Entry }) {
  const details = Object.entries(entry.data);
  return (
    <li>
      <span class="row-what">
        <strong>{t(`ui.app.audit.kind.${entry.kind}`)}</strong>
        {entry.about_name && <span class="small">{t('ui.app.audit.whom', { Name: entry.about_name })}</span>}
        <span class="small">{who(entry)}</span>
        <span class="small">{formatDate(entry.at, true)}</span>
      </span>
      {details.length > 0 && (
        <details class="cause">
          <summary>
            {t('ui.app.audit.details')}
            <span class="unseen"> {entry.n}</span>
          </summary>
          <dl class="entry" dir="ltr" translate={false}>
            {details.map(([name, value]) => (
              <div key={name}>
                <dt>
                  <code>{name}</code>
                </dt>
                <dd>
                  <code class="long">{typeof value === 'string' ? value : JSON.stringify(value)}</code>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}

function who({ by, by_name: name }: Entry): string {
  if (name) return t('ui.app.audit.by', { Name: name });
  return t(by ? 'ui.app.audit.by_gone' : 'ui.app.audit.by_server');
}
