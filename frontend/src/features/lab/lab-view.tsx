import { useSignal, useSignalEffect } from '@preact/signals';
import { useCallback, useEffect, useMemo, useRef } from 'preact/hooks';
import { me, signedIn } from '../../api/me';
import { context } from '../../context';
import { t } from '../../i18n/words';
import { enrollment, loadProgress } from '../../learner/enrollment';
import { Join, otherVersion } from '../../learner/join';
import { drop, keep, kept } from '../../offline/shelf';
import { ConfirmButton } from '../../ui/confirm-button';
import { Notice, Trouble } from '../../ui/notice';
import type { Bench, BenchView } from './bench';
import { Editor, type EditorHandle, type Mark } from './editor';
import { createHandIn, type HandIn } from './hand-in';
import { Hints } from './hints';
import type { Lab, Submission } from './lab';
import { useLoaded } from '../../ui/loaded';
import { lastLine } from './trace';
import { nearestLine } from './typing';
import { VerdictView } from './verdict-view';

export function LabView({ lab }: { lab: Lab }) {
  const starter = lab.starter[lab.entry] ?? '';
  const source = useSignal(starter);
  const saved = useSignal<boolean | undefined>(undefined);
  const mark = useSignal<Mark | undefined>(undefined);
  const editor = useSignal<EditorHandle | undefined>(undefined);
  const person = signedIn()?.id ?? '';
  const keyOf = (who: string) => `lab/${who}/${context().course}/${lab.id}`;
  const key = keyOf(person);
  const handIn = useMemo(() => createHandIn(person, key), [key]);
  useEffect(() => handIn.close, [handIn]);
  const mine = enrollment.value;
  const may = mine && !otherVersion();

  useEffect(() => {
    void (async () => {
      let draft = await kept<string>('drafts', key);
      // What somebody wrote before signing in is theirs, unless they had begun already.
      if (draft === undefined && person) {
        draft = await kept<string>('drafts', keyOf(''));
        if (draft !== undefined) await keep('drafts', key, draft);
        await drop('drafts', keyOf(''));
      }
      if (draft !== undefined) source.value = draft;
    })();
  }, [key, source]);
  useEffect(() => {
    if (!mine || !person) return;
    void handIn.loadHistory(mine.id, lab.id).catch(() => undefined);
    void handIn.resume(mine.id, lab.id);
  }, [handIn, mine?.id, person, lab.id]);
  // The verdict is also a statement: the learner's progress has changed.
  useSignalEffect(() => {
    const newest = handIn.history.value[0];
    if (!newest?.verdict) return;
    void loadProgress().catch(() => undefined);
    markLine(newest.verdict.traceback ?? '', newest.files[lab.entry] ?? '');
  });

  const write = useCallback(
    (text: string) => {
      source.value = text;
      void keep('drafts', key, text).then((ok) => (saved.value = ok));
    },
    [key, source, saved],
  );
  const markLine = (traceback: string, of: string) => {
    const line = lastLine(traceback, lab.entry);
    const text = of.split('\n')[line - 1];
    mark.value = line && text !== undefined ? { line, text } : undefined;
  };
  // A traceback counts the lines of the code that ran, which may have moved since.
  const goTo = (line: number, of: string) => editor.value?.goTo(nearestLine(source.value, line, of.split('\n')[line - 1] ?? '') || line);
  const bench = useBench(lab, markLine);
  const busy = ['sending', 'grading'].includes(handIn.phase.value);
  const running = bench.phase === 'running';
  const last = handIn.history.value[0]?.files[lab.entry];

  return (
    <>
      <Files files={{ ...lab.files, ...others(lab) }} />
      <Editor name={lab.entry} value={source.value} maxLength={(lab.limits?.source_kib || 64) * 1024} mark={mark.value} handle={editor} onChange={write}>
        {saved.value && <span class="small">{t('ui.lab.saved')}</span>}
      </Editor>
      {saved.value === false && <Notice>{t('ui.lab.draft_memory')}</Notice>}
      <div class="buttons">
        <button type="button" class={may ? 'button quiet run' : 'button run'} aria-disabled={running} onClick={() => !running && bench.run(source.value)}>
          {t('ui.lab.run')}
        </button>
        {running && (
          <button type="button" class="button quiet" onClick={bench.stop}>
            {t('ui.lab.stop')}
          </button>
        )}
        {may && (
          <button
            type="button"
            class="button"
            aria-disabled={busy}
            onClick={() => !busy && void handIn.handIn(mine.id, lab.id, { [lab.entry]: source.value })}
          >
            {t('ui.lab.hand_in')}
          </button>
        )}
        {source.value !== starter && (
          <ConfirmButton
            ask={t('ui.lab.start_over')}
            sure={t('ui.lab.start_over_sure')}
            onConfirm={() => {
              editor.value?.put(starter);
              void drop('drafts', key);
            }}
          />
        )}
      </div>
      {last !== undefined && <p class="small">{t(last === source.value ? 'ui.lab.as_handed_in' : 'ui.lab.changed_since')}</p>}
      {me.value !== undefined && <Join />}
      {bench.view?.(source.value, goTo)}
      <Outcome handIn={handIn} lab={lab} onLine={goTo} />
      <Hints lab={lab} id={`${key}/hints`} />
      {handIn.history.value.length > 0 && (
        <Earlier items={handIn.history.value} entry={lab.entry} source={source.value} onTake={(text) => editor.value?.put(text)} />
      )}
    </>
  );
}

/** The bench is fetched when Run is pressed for the first time. */
function useBench(lab: Lab, onTraceback: (traceback: string, source: string) => void) {
  const there = useSignal<{ bench: Bench; View: typeof BenchView } | undefined>(undefined);
  const lost = useSignal(false);
  useEffect(() => () => there.peek()?.bench.close(), [there]);
  const run = async (source: string) => {
    lost.value = false;
    try {
      if (!there.value) {
        const part = await import('./bench');
        there.value ??= { bench: part.createBench(lab, (result, of) => onTraceback(result.traceback, of)), View: part.BenchView };
      }
      await there.value.bench.run(source);
    } catch {
      lost.value = true;
    }
  };
  const found = there.value;
  return {
    phase: found?.bench.phase.value,
    run: (source: string) => void run(source),
    stop: () => found?.bench.stop(),
    view: (source: string, onLine: (line: number, of: string) => void) => (
      <>
        {lost.value && <Notice>{t('ui.lab.bench.lost')}</Notice>}
        {found && <found.View bench={found.bench} lab={lab} source={source} onLine={onLine} />}
      </>
    ),
  };
}

function Outcome({ handIn, lab, onLine }: { handIn: HandIn; lab: Lab; onLine: (line: number, of: string) => void }) {
  const { phase, trouble, history } = handIn;
  const newest = history.value[0];
  const before = (newest?.place ?? 0) - 1;
  const box = useRef<HTMLDivElement>(null);
  const sending = phase.value === 'sending';
  useEffect(() => {
    if (sending) box.current?.scrollIntoView?.({ block: 'nearest' });
  }, [sending]);
  return (
    <div class="outcome" ref={box}>
      <div aria-live="polite">
        {phase.value === 'sending' && <p class="notice busy">{t('ui.lab.sending')}</p>}
        {phase.value === 'grading' && <p class="notice busy">{before > 0 ? t('ui.lab.place', { Count: before }) : t('ui.lab.grading')}</p>}
        {phase.value === 'waiting' && (
          <p class="notice">
            {t('ui.lab.waiting')} {!handIn.durable.value && t('ui.outbox.memory')}
          </p>
        )}
        {/* In short: the whole verdict would be a long speech. */}
        {phase.value === 'idle' && newest?.verdict && <p class="unseen">{t(`ui.lab.outcome.${newest.verdict.outcome}`)}</p>}
      </div>
      {phase.value === 'refused' && <Trouble cause={trouble.value} />}
      {phase.value === 'idle' && newest?.verdict && (
        <VerdictView submission={newest} verdict={newest.verdict} lab={lab} onLine={(line) => onLine(line, newest.files[lab.entry] ?? '')} />
      )}
      {phase.value === 'idle' && newest && !newest.verdict && <Notice>{t('ui.lab.not_graded')}</Notice>}
    </div>
  );
}

function others({ starter, entry }: Lab): Record<string, string> {
  return Object.fromEntries(Object.entries(starter).filter(([name]) => name !== entry));
}

function Files({ files }: { files: Record<string, string> }) {
  const names = Object.keys(files);
  if (!names.length) return null;
  return (
    <section class="files" aria-labelledby="files">
      <h2 id="files">{t('ui.lab.files')}</h2>
      <FileList files={files} />
    </section>
  );
}

function FileList({ files }: { files: Record<string, string> }) {
  const loaded = useLoaded(() => import('./data-file'));
  return <>{Object.entries(files).map(([name, text]) => (loaded ? <loaded.DataFile key={name} name={name} text={text} /> : <PlainFile key={name} name={name} text={text} />))}</>;
}

function PlainFile({ name, text }: { name: string; text: string }) {
  return (
    <details>
      <summary>
        <code dir="ltr">{name}</code>
      </summary>
      <pre tabIndex={0} role="group" aria-label={name}>
        {text}
      </pre>
    </details>
  );
}

function Earlier(props: { items: readonly Submission[]; entry: string; source: string; onTake: (source: string) => void }) {
  const loaded = useLoaded(() => import('./history'));
  return loaded ? <loaded.History {...props} /> : null;
}
