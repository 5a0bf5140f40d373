// A certificate that was earned elsewhere on paper: what it says, what the last check found out, and where it is kept. No server is asked.
import { useSignal } from '@preact/signals';
import type { Schemas } from '../../api/client';
import { signedIn } from '../../api/me';
import { formatDate, formatPercent, t } from '../../i18n/words';
import { drawCode } from '../../offline/codes';
import { check, type Report, type State } from '../../offline/credential/check';
import { knownIssuers } from '../../offline/credential/trust';
import { Line, PrintPanel, Squares, Standing } from './paper';

type Imported = Schemas['ImportedCredential'];
type Claims = Schemas['CredentialClaims'];

/** The first that either found counts. A device that cannot tell takes nothing back of what the server found, and the other way round. */
const order: State[] = ['invalid', 'revoked', 'suspended', 'expired', 'valid', 'unknown'];

/** What is on one sheet, and no more than fits on it. */
const mostResults = 8;
const mostDescription = 400;
const mostAddress = 300;

export default function ImportedPaper({ one }: { one: Imported }) {
  const { claims, report } = one;
  const bearsName = useSignal(true);
  const achievement = claims?.achievement ?? t('ui.app.wallet.untitled');
  const sheet = async () => {
    const withName = bearsName.value || !claims?.name;
    const address = withName ? addressOf(claims) : '';
    const [here, squares] = await Promise.all([check(one.document, Date.now(), await knownIssuers(signedIn()?.id)), address ? drawCode(address, 'quartile') : undefined]);
    const found = order.find((state) => state === one.standing || state === here.state || (state === 'expired' && isOver(claims))) as State;
    if (found === 'invalid' || !claims) return undefined;
    // What this device found out is as new as the paper.
    const checkedAt = here.state === found && found !== 'unknown' ? new Date().toISOString() : report.checked_at;
    return {
      name: withName && claims.name ? t('ui.paper.document', { Achievement: achievement, Name: claims.name }) : achievement,
      content: <Sheet claims={withName ? claims : { ...claims, name: '' }} achievement={achievement} found={found} lines={linesOf(one, found, here)} checkedAt={checkedAt} address={address} squares={squares} />,
    };
  };
  return <PrintPanel of={achievement} named={claims?.name ? bearsName : undefined} sheet={sheet} />;
}

const isOver = (claims: Claims | undefined): boolean => claims?.valid_until !== undefined && Date.parse(claims.valid_until) <= Date.now();

/** Why it does not count. */
function linesOf({ standing, report, claims }: Imported, found: State, here: Report): string[] {
  if (found === 'valid') return [];
  if (found === 'expired' && claims?.valid_until) return [t('ui.paper.expired', { Date: formatDate(claims.valid_until) })];
  const why = standing === found ? report.reasons.map(({ detail }) => detail) : here.reasons.map(({ why, date }) => t(`ui.credential.why.${why}`, date === undefined ? {} : { Date: formatDate(date) }));
  return [t(`ui.credential.state.${found}_text`), ...why];
}

/** Where its issuer says that it is kept. Not each has one, and what is no address of the web is none for people. */
function addressOf(claims: Claims | undefined): string {
  const id = claims?.id ?? '';
  return id.length <= mostAddress && /^https?:\/\/[^\s<>"]+$/.test(id) ? id : '';
}

interface SheetProps {
  claims: Claims;
  achievement: string;
  found: State;
  lines: readonly string[];
  checkedAt: string;
  address: string;
  squares: boolean[][] | undefined;
}

function Sheet({ claims, achievement, found, lines, checkedAt, address, squares }: SheetProps) {
  const { description = '' } = claims;
  const short = Array.from(description);
  const lang = claims.language;
  return (
    <article>
      <p class="paper-by">
        <bdi lang={lang} dir="auto">
          {claims.issuer_name ?? claims.issuer}
        </bdi>
      </p>
      <h1>{t('ui.app.wallet.untitled')}</h1>
      <Standing lines={lines} />
      {claims.name && (
        <>
          <p class="paper-of">{t('ui.paper.holder')}</p>
          <p class="paper-name">
            <bdi dir="auto">{claims.name}</bdi>
          </p>
        </>
      )}
      <p class="paper-of">{t('ui.verify.for')}</p>
      <p class="paper-what">
        <bdi lang={lang} dir="auto">
          {achievement}
        </bdi>
      </p>
      {description && (
        <p class="paper-about" lang={lang} dir="auto">
          {short.length > mostDescription ? `${short.slice(0, mostDescription).join('')}…` : description}
        </p>
      )}
      <dl>
        <Line of={t('ui.paper.issued')} is={claims.valid_from && formatDate(claims.valid_from)} />
        <Line of={t('ui.paper.expires')} is={claims.valid_until && formatDate(claims.valid_until)} />
        {(claims.results ?? []).slice(0, mostResults).map((result, i) => (
          <Result key={i} {...result} />
        ))}
        <Line of={t(`ui.credential.state.${found}`)} is={t('ui.app.wallet.checked', { Date: formatDate(checkedAt) })} />
      </dl>
      <div class="paper-check">
        {squares && <Squares rows={squares} alt={t('ui.app.code.picture', { Name: achievement })} />}
        {address && (
          <p>
            {t('ui.verify.online')}
            <bdi dir="ltr" class="paper-address">
              {address}
            </bdi>
          </p>
        )}
      </div>
    </article>
  );
}

const levels = ['unsupervised', 'supervised', 'on_site'];
const helps = ['none', 'some', 'much', 'undeclared'];

/** Those that programs like this one write have words; others stand as their issuer wrote them. */
function Result({ type = '', name = '', value }: Schemas['CredentialResult']) {
  const percent = Number(value);
  if (type === 'Percent' && value && percent >= 0 && percent <= 100) return <Line of={t('ui.paper.score')} is={formatPercent(percent / 100)} />;
  if (type === 'ext:AssessmentLevel' && levels.indexOf(value) >= 0) return <Line of={t('ui.paper.assessment')} is={t(`ui.paper.assessment.${value}`)} />;
  if (type === 'ext:AIAssistance' && helps.indexOf(value) >= 0) return <Line of={t('ui.paper.ai_help')} is={t(`ui.paper.ai_help.${value}`)} />;
  return <Line of={name || type} is={value} />;
}
