// One's own certificate on paper, out of what this device keeps: for where the server, its page and its PDF are away.
import { useSignal } from '@preact/signals';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import words from 'virtual:words/verify';
import type { Schemas } from '../../api/client';
import { formatDate, formatPercent, loadWords, locale, spokenIn, t } from '../../i18n/words';
import { drawCode } from '../../offline/codes';
import { check, type Report } from '../../offline/credential/check';
import { part } from '../../offline/missing';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { named } from './named';
import { NotFetched } from './not-fetched';
import './verify.css';

interface Props {
  credential: Schemas['Credential'];
  /** The signed document. */
  document: string;
  /** The texts of its code, without the name and with it, where they are kept. */
  codes: readonly [string, string] | undefined;
}

/** With or without the name, and then to the printer. */
export default function OwnPaper({ credential, document: text, codes }: Props) {
  const ready = useSignal(false);
  const bearsName = useSignal(true);
  const forged = useSignal(false);
  const task = useTask();
  useEffect(() => void task.run(async () => {
    await part(loadWords(locale(), words));
    ready.value = true;
  }), []);
  const toPrinter = () =>
    task.run(async () => {
      const withName = bearsName.value || !codes;
      const [report, squares] = await Promise.all([check(text), codes && drawCode(codes[withName ? 1 : 0], 'quartile')]);
      forged.value = report.state === 'invalid';
      if (!forged.value) putOnPaper({ report, credential, withName, squares });
    });
  return (
    <div>
      {codes && (
        <p class="boxes">
          <label>
            <input type="checkbox" checked={bearsName.value} onChange={(event) => (bearsName.value = event.currentTarget.checked)} />
            <span>
              {t('ui.app.code.named')}
              <small>{t('ui.app.certificates.print_hint')}</small>
            </span>
          </label>
        </p>
      )}
      {forged.value && (
        <Notice kind="bad">
          <p>{t('ui.paper.invalid')}</p>
        </Notice>
      )}
      {task.trouble.value ? <NotFetched cause={task.trouble.value} /> : null}
      {ready.value && (
        <p class="buttons">
          <button type="button" class="button" aria-disabled={task.busy.value} onClick={() => void toPrinter()}>
            {t('ui.app.certificates.print_now')}
            <span class="unseen"> {credential.achievement}</span>
          </button>
        </p>
      )}
    </div>
  );
}

let last: (() => void) | undefined;

/**
 * Asks for the printer, with the sheet alone. Some browsers draw the sheet again while their dialog is open and say too early that it is over; so the
 * sheet, which no screen shows, stays until somebody is at the page again.
 */
function putOnPaper(given: SheetProps): void {
  last?.();
  const paper = document.createElement('div');
  paper.className = 'paper';
  document.body.appendChild(paper);
  render(<Sheet {...given} />, paper);
  document.body.classList.add('printing');
  const { title } = document;
  const { achievement, name } = given.credential;
  // What many browsers name the file by.
  document.title = given.withName ? t('ui.paper.document', { Achievement: achievement, Name: name }) : achievement;
  const back = ['pointerdown', 'keydown'];
  last = () => {
    last = undefined;
    for (const event of back) removeEventListener(event, over, true);
    document.body.classList.remove('printing');
    document.title = title;
    render(null, paper);
    paper.remove();
  };
  const over = () => last?.();
  for (const event of back) addEventListener(event, over, true);
  print();
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
      <Standing credential={credential} expiresAt={shown.expiresAt} state={state} />
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
        {squares && <Squares rows={squares} />}
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

function Line({ of, is }: { of: string; is: string | undefined }) {
  if (!is) return null;
  return (
    <div>
      <dt>{of}</dt>
      <dd>{is}</dd>
    </div>
  );
}

/** What the server last said counts, and then what this device finds out. */
function Standing({ credential: { revoked_at: revoked, suspended_at: suspended }, expiresAt, state }: { credential: Schemas['Credential']; expiresAt: string | undefined; state: Report['state'] }) {
  const says = () => {
    if (revoked) return t('ui.paper.revoked', { Date: formatDate(revoked) });
    if (state === 'revoked') return t('ui.credential.state.revoked_text');
    if (suspended) return t('ui.paper.suspended', { Date: formatDate(suspended) });
    if (state === 'suspended') return t('ui.credential.state.suspended_text');
    return state === 'expired' && expiresAt ? t('ui.paper.expired', { Date: formatDate(expiresAt) }) : '';
  };
  const text = says();
  return text ? <p class="paper-standing">{text}</p> : null;
}

function Squares({ rows }: { rows: boolean[][] }) {
  const path = rows.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('');
  return (
    <svg class="paper-code" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={t('ui.paper.code_alt')} shape-rendering="crispEdges">
      <path d={path} />
    </svg>
  );
}
