// One sheet of A4 with a certificate on it, drawn by the page itself: for where no server draws it.
import { useSignal, type Signal } from '@preact/signals';
import { render, type ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import words from 'virtual:words/verify';
import { loadWords, locale, t } from '../../i18n/words';
import { part } from '../../offline/missing';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { NotFetched } from './not-fetched';
import './verify.css';

interface PanelProps {
  /** What is printed, as people call it. */
  of: string;
  /** Whether the holder's name shall be on it; none where it is not to be chosen. */
  named: Signal<boolean> | undefined;
  /** What was asked for, or undefined where it is not what was signed. */
  sheet: () => Promise<Sheet | undefined>;
}

/** With or without the name, and then to the printer. */
export function PrintPanel({ of, named, sheet }: PanelProps) {
  const ready = useSignal(false);
  const forged = useSignal(false);
  const task = useTask();
  useEffect(() => void task.run(async () => {
    await part(loadWords(locale(), words));
    ready.value = true;
  }), []);
  const toPrinter = () =>
    task.run(async () => {
      const drawn = await sheet();
      forged.value = !drawn;
      if (drawn) putOnPaper(drawn);
    });
  return (
    <div>
      {named && (
        <p class="boxes">
          <label>
            <input type="checkbox" checked={named.value} onChange={(event) => (named.value = event.currentTarget.checked)} />
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
            <span class="unseen"> {of}</span>
          </button>
        </p>
      )}
    </div>
  );
}

export interface Sheet {
  /** What many browsers name the file by. */
  name: string;
  content: ComponentChildren;
}

let last: (() => void) | undefined;

/**
 * Asks for the printer, with the sheet alone. Some browsers draw the sheet again while their dialog is open and say too early that it is over; so the
 * sheet, which no screen shows, stays until somebody is at the page again.
 */
function putOnPaper({ name, content }: Sheet): void {
  last?.();
  const paper = document.createElement('div');
  paper.className = 'paper';
  document.body.appendChild(paper);
  render(content, paper);
  document.body.classList.add('printing');
  const { title } = document;
  document.title = name;
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

export function Line({ of, is }: { of: string; is: string | undefined }) {
  if (!is) return null;
  return (
    <div>
      <dt>
        <bdi>{of}</bdi>
      </dt>
      <dd>
        <bdi>{is}</bdi>
      </dd>
    </div>
  );
}

/** Why it does not count, where it does not. */
export function Standing({ lines }: { lines: readonly string[] }) {
  if (!lines.length) return null;
  return (
    <div class="paper-standing">
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}

export function Squares({ rows, alt }: { rows: boolean[][]; alt: string }) {
  const path = rows.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('');
  return (
    <svg class="paper-code" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={alt} shape-rendering="crispEdges">
      <path d={path} />
    </svg>
  );
}
