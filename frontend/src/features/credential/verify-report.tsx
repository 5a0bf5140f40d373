import type { ComponentChildren } from 'preact';
import { formatDate, formatPercent, locale, spokenIn, t } from '../../i18n/words';
import { statusDays, type Reason, type Report } from '../../offline/credential/check';
import { named } from './named';
import { Recognised } from './recognised';

const day = 86_400_000;

const own: readonly string[] = ['too_new', 'needs_network'];

function Why({ why, date }: Reason) {
  return <>{t(own.indexOf(why) >= 0 ? `ui.verify.why.${why}` : `ui.credential.why.${why}`, date === undefined ? {} : { Date: formatDate(date) })}</>;
}

/** What a credential is worth, in plain words: the state, what it says, what that rests on and how old it is. */
export function VerifyReport({ report, now }: { report: Report; now: number }) {
  const { state, reasons, notes, restsOn, shown, said, recognitions } = report;
  const ages = (kind: string) => restsOn.filter((one) => one.kind === kind).map(({ at }) => Math.max(0, Math.floor((now - Date.parse(at)) / day)));
  const [signature] = restsOn.filter(({ kind }) => kind === 'signature');
  const institution = shown && named(said?.issuer.names, shown.issuer);
  return (
    <article class={`verify ${state}`}>
      <div class="standing" role="status">
        <h2>{t(`ui.credential.state.${state}`)}</h2>
        <p>{t(`ui.credential.state.${state}_text`)}</p>
        {reasons.map((reason) => (
          <p key={reason.why}>
            <Why {...reason} />
          </p>
        ))}
      </div>
      {shown && institution && (
        <dl class="attested">
          <Fact name={t('ui.verify.to')}>{shown.name ? <bdi>{shown.name}</bdi> : t('ui.verify.nameless')}</Fact>
          <Fact name={t('ui.verify.for')}>
            <strong>
              <bdi {...spokenIn(shown.locale === locale() ? undefined : shown.locale)}>{shown.achievement}</bdi>
            </strong>
          </Fact>
          <Fact name={t('ui.verify.institution')}>
            <bdi {...spokenIn(institution.lang)}>{institution.text}</bdi>
            {said?.issuer.country ? ` (${country(said.issuer.country)})` : ''}
            <small>
              <Vouched report={report} />
            </small>
          </Fact>
          <Fact name={t('ui.verify.issued')}>{formatDate(shown.issuedAt)}</Fact>
          {shown.expiresAt !== undefined && <Fact name={t('ui.verify.expires')}>{formatDate(shown.expiresAt)}</Fact>}
          {shown.score !== undefined && <Fact name={t('ui.verify.score')}>{formatPercent(shown.score / 100)}</Fact>}
          {shown.assessment !== undefined && <Fact name={t('ui.verify.level')}>{t(`ui.verify.level.${shown.assessment}`)}</Fact>}
          {shown.aiHelp !== undefined && <Fact name={t('ui.verify.help')}>{t(`ui.verify.help.${shown.aiHelp}`)}</Fact>}
        </dl>
      )}
      {recognitions.length > 0 && (
        <>
          <h3>{t('ui.verify.recognised')}</h3>
          <Recognised of={recognitions.map((one) => ({ ...one, known: now - Date.parse(one.at) > statusDays * day ? one.at : undefined }))} />
        </>
      )}
      {(restsOn.length > 0 || notes.length > 0) && (
        <>
          <h3>{t('ui.verify.rests')}</h3>
          <ul>
            {signature && <li>{t('ui.verify.rests.signature', { Date: formatDate(signature.at) })}</li>}
            <Aged of="status" days={ages('status')} />
            <Aged of="trust" days={ages('trust_list')} />
            {notes.map((note) => (
              <li key={note.why}>
                <Why {...note} />
              </li>
            ))}
          </ul>
        </>
      )}
      {shown?.address && (
        <p>
          <a href={shown.address}>{t('ui.verify.online')}</a>
        </p>
      )}
    </article>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

// The oldest says how much of the answer is old.
function Aged({ of, days }: { of: 'status' | 'trust'; days: number[] }) {
  if (!days.length) return null;
  const oldest = Math.max(...days);
  return <li>{oldest ? t(`ui.verify.rests.${of}`, { Count: oldest }) : t(`ui.verify.rests.${of}_now`)}</li>;
}

function Vouched({ report: { said } }: { report: Report }) {
  if (!said) return <>{t('ui.verify.stranger')}</>;
  const Publisher = named(said.publisherNames, said.publisher).text;
  const own = said.publisher === said.issuer.did;
  // On the trust of one institution it rests for its members alone.
  if (said.by !== undefined) return <>{own ? t('ui.verify.own_word_circle', { Institution: said.by }) : t('ui.verify.vouched_circle', { Publisher, Institution: said.by })}</>;
  return <>{own ? t('ui.verify.own_word') : t('ui.verify.vouched', { Publisher })}</>;
}

/** The name of a country in the language of the page; its letters where the browser has none. */
function country(code: string): string {
  const Names = (Intl as { DisplayNames?: new (locale: string, how: { type: 'region' }) => { of: (code: string) => string | undefined } }).DisplayNames;
  try {
    return (Names && new Names(locale(), { type: 'region' }).of(code)) ?? code;
  } catch {
    return code;
  }
}
