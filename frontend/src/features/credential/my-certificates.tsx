import { useSignal, type Signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { signedIn } from '../../api/me';
import { Unreached } from '../../api/problem';
import { formatDate, locale, spokenIn, t } from '../../i18n/words';
import { recall } from '../../offline/kept';
import { part } from '../../offline/missing';
import type { Certificates } from '../../offline/sync';
import { Notice } from '../../ui/notice';
import { List, usePages } from '../../ui/pages';
import { useTask } from '../../ui/task';
import { AwardsToCome } from './awards';
import { CodeView } from './code-view';
import { CertificateName } from './certificate-name';
import { ImportedCertificates } from './imported';
import { NotFetched } from './not-fetched';
import { saveAs } from './save';
import { Shares, type Share } from './shares';
import { Worth } from './worth';

type Credential = Schemas['Credential'];

/** What this device keeps of one certificate. */
interface Kept {
  /** The signed credential. */
  document: string;
  /** The texts of its code, without the name and with it. */
  codes: readonly [string, string] | undefined;
}

export default function MyCertificates() {
  const kept = useSignal<Certificates | undefined>(undefined);
  const shares = useSignal<readonly Share[] | undefined>(undefined);
  useEffect(() => void ask(api.GET('/api/wallet/shares')).then(({ items }) => (shares.value = items), () => undefined), []);
  const pages = usePages<Credential>(async (cursor) => {
    try {
      return await ask(api.GET('/api/credentials', { params: { query: { cursor } } }));
    } catch (cause) {
      const known = cursor ? undefined : await recall<Certificates>(signedIn()?.id ?? '', 'credentials');
      if (!(cause instanceof Unreached) || !known) throw cause;
      kept.value = known;
      return { items: known.items };
    }
  });
  return (
    <>
      <p class="lead">{t('ui.app.certificates.about')}</p>
      <p>
        <a href="/app/verify">{t('ui.app.verify.title')}</a>
      </p>
      {kept.value && (
        <Notice>
          <p>{t('ui.app.certificates.away', { Date: formatDate(new Date(kept.value.at).toISOString(), true) })}</p>
          <p>{t('ui.app.wallet.away')}</p>
        </Notice>
      )}
      <AwardsToCome onIssued={() => void pages.reload()} />
      <List of={pages} empty={<p>{t('ui.app.certificates.none')}</p>}>
        {(credential) => <CredentialRow key={credential.id} credential={credential} kept={keptOf(kept.value, credential.id)} shares={shares} />}
      </List>
      <CertificateName />
      <ImportedCertificates shares={shares} />
    </>
  );
}

function keptOf(all: Certificates | undefined, id: string): Kept | undefined {
  const document = all?.documents[id];
  return document === undefined ? undefined : { document, codes: all?.codes?.[id] };
}

// What other programs and people take; names of formats are the same in every language.
const formats = [
  { path: 'certificate.pdf', name: 'PDF' },
  { path: 'badge.png', name: 'PNG' },
  { path: 'badge.svg', name: 'SVG' },
  { path: 'jwt', name: 'JWT' },
];

/** The signed credential itself: what a device keeps. */
const plain = 'JSON';

/** `kept`: what this device keeps of it, where the server is not reached. */
function CredentialRow({ credential, kept, shares }: { credential: Credential; kept: Kept | undefined; shares: Signal<readonly Share[] | undefined> }) {
  const { id, institution, issued_at: issued, standing } = credential;
  const achievement = <bdi {...spokenIn(credential.achievement_lang)}>{credential.achievement}</bdi>;
  const page = `/${locale()}/verify/${id}`;
  const name = `${credential.course_id}-${id}.json`;
  const save = (event: MouseEvent) => {
    if (!kept) return;
    event.preventDefault();
    saveAs(name, kept.document);
  };
  return (
    <li>
      <span class="row-what">
        <strong>{achievement}</strong>
        <span class="small">
          <bdi>{credential.name}</bdi>
        </span>
        <span class="small">{t('ui.app.certificates.issued', { Institution: institution, Date: formatDate(issued) })}</span>
        <span class="standing-chip">
          <span class={`chip ${standing}`}>{t(`ui.app.standing.${standing}`)}</span>
        </span>
        {credential.revoked_reason && (
          <span class="small">
            <bdi>{credential.revoked_reason}</bdi>
          </span>
        )}
        {credential.suspended_reason && (
          <span class="small">
            <bdi>{credential.suspended_reason}</bdi>
          </span>
        )}
      </span>
      {!kept ? (
        <span class="buttons">
          <a class="button quiet" href={page}>
            {t('ui.app.certificates.view')}
            <span class="unseen"> {achievement}</span>
          </a>
          <a class="button quiet" href={`${page}#print`}>
            {t('ui.app.certificates.print')}
            <span class="unseen"> {achievement}</span>
          </a>
        </span>
      ) : (
        <Here credential={credential} kept={kept} />
      )}
      <p class="formats">
        {t('ui.app.certificates.formats')}
        {/* What has to be drawn or signed anew, only the server has. */}
        {!kept &&
          formats.map(({ path, name: format }) => (
            <a key={path} href={`/api/credentials/${id}/${path}`} download>
              <span translate={false}>{format}</span>
              <span class="unseen"> {achievement}</span>
            </a>
          ))}
        <a href={`/api/credentials/${id}`} download={name} onClick={save}>
          <span translate={false}>{plain}</span>
          <span class="unseen"> {achievement}</span>
        </a>
      </p>
      <Worth of={credential.recognitions} />
      <CodeView id={id} achievement={credential.achievement} />
      <Shares of={{ credential_id: id }} achievement={credential.achievement} all={shares} />
    </li>
  );
}

/** Without the server: what this device itself finds out about the certificate, and puts on paper. */
function Here({ credential, kept }: { credential: Credential; kept: Kept }) {
  const open = useSignal<'view' | 'print' | undefined>(undefined);
  const Part = useSignal<ComponentType<Kept & { credential: Credential }> | undefined>(undefined);
  const task = useTask();
  const ways = { view: () => import('./own-report'), print: () => import('./own-paper') };
  const toggle = (what: 'view' | 'print') =>
    task.run(async () => {
      const close = open.value === what;
      open.value = Part.value = undefined;
      if (close) return;
      const found: { default: ComponentType<Kept & { credential: Credential }> } = await part(ways[what]());
      open.value = what;
      Part.value = found.default;
    });
  return (
    <div class="code-view">
      <p class="buttons">
        {(['view', 'print'] as const).map((what) => (
          <button key={what} type="button" class="button quiet" aria-expanded={open.value === what} onClick={() => void toggle(what)}>
            {t(`ui.app.certificates.${what}`)}
            <span class="unseen"> {credential.achievement}</span>
          </button>
        ))}
      </p>
      {task.trouble.value ? <NotFetched cause={task.trouble.value} /> : null}
      {Part.value && <Part.value {...kept} credential={credential} />}
    </div>
  );
}
