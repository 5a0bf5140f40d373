// One's own certificate on paper, out of what this device keeps: for where the server, its page and its PDF are away.
import { useSignal } from '@preact/signals';
import type { Schemas } from '../../api/client';
import { formatDate, formatPercent, locale, spokenIn, t } from '../../i18n/words';
import { drawCode } from '../../offline/codes';
import { check, type Report } from '../../offline/credential/check';
import { named } from './named';
import { Line, PrintPanel, Squares, Standing } from './paper';

interface Props {
  credential: Schemas['Credential'];
  /** The signed document. */
  document: string;
  /** The texts of its code, without the name and with it, where they are kept. */
  codes: readonly [string, string] | undefined;
}

export default function OwnPaper({ credential, document: text, codes }: Props) {
  const bearsName = useSignal(true);
  const sheet = async () => {
    const withName = bearsName.value || !codes;
    const [report, squares] = await Promise.all([check(text), codes && drawCode(codes[withName ? 1 : 0], 'quartile')]);
    if (report.state === 'invalid') return undefined;
    const { achievement, name } = credential;
    return {
      name: withName ? t('ui.paper.document', { Achievement: achievement, Name: name }) : achievement,
      content: <Sheet report={report} credential={credential} withName={withName} squares={squares} />,
    };
  };
  return <PrintPanel of={credential.achievement} named={codes && bearsName} sheet={sheet} />;
}

interface SheetProps {
  report: Report;
  credential: Schemas['Credential'];
  withName: boolean;
  squares: boolean[][] | undefined;
}

/** What the PDF says, but for what only the server has: logo, signatures, colours. Without the name it does not say either where the name is to be read. */
function Sheet({ report: { shown, said, state }, credential, withName, squares }: SheetProps) {
  if (!shown) return null;
  const institution = named(said?.issuer.names, credential.institution);
  const address = withName ? shown.address : `${location.origin}/${locale()}/verify`;
  return (
    <article>
      <p class="paper-by">
        <bdi {...spokenIn(said && institution.lang)}>{institution.text}</bdi>
      </p>
      <h1>{t('ui.paper.title')}</h1>
      <Standing lines={[standing(credential, shown.expiresAt, state)].filter(Boolean)} />
      {withName && (
        <>
          <p class="paper-of">{t('ui.paper.holder')}</p>
          <p class="paper-name">
            <bdi>{shown.name}</bdi>
          </p>
        </>
      )}
      <p class="paper-of">{t('ui.paper.achievement')}</p>
      <p class="paper-what">
        <bdi {...spokenIn(shown.locale === locale() ? undefined : shown.locale)}>{shown.achievement}</bdi>
      </p>
      <dl>
        <Line of={t('ui.paper.issued')} is={formatDate(shown.issuedAt)} />
        <Line of={t('ui.paper.expires')} is={shown.expiresAt && formatDate(shown.expiresAt)} />
        <Line of={t('ui.paper.score')} is={shown.score === undefined ? undefined : formatPercent(shown.score / 100)} />
        <Line of={t('ui.paper.assessment')} is={shown.assessment && t(`ui.paper.assessment.${shown.assessment}`)} />
        <Line of={t('ui.paper.ai_help')} is={shown.aiHelp && t(`ui.paper.ai_help.${shown.aiHelp}`)} />
      </dl>
      <div class="paper-check">
        {squares && <Squares rows={squares} alt={t('ui.paper.code_alt')} />}
        <p>
          {t('ui.paper.check')}{' '}
          <bdi dir="ltr" class="paper-address">
            {address}
          </bdi>
        </p>
      </div>
    </article>
  );
}

/** What the server last said counts, and then what this device finds out. */
function standing({ revoked_at: revoked, suspended_at: suspended }: Schemas['Credential'], expiresAt: string | undefined, state: Report['state']): string {
  if (revoked) return t('ui.paper.revoked', { Date: formatDate(revoked) });
  if (state === 'revoked') return t('ui.credential.state.revoked_text');
  if (suspended) return t('ui.paper.suspended', { Date: formatDate(suspended) });
  if (state === 'suspended') return t('ui.credential.state.suspended_text');
  return state === 'expired' && expiresAt ? t('ui.paper.expired', { Date: formatDate(expiresAt) }) : '';
}
