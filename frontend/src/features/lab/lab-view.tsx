import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { me, signedIn } from '../../api/me';
import { context } from '../../context';
import { t } from '../../i18n/words';
import { enrollment, loadProgress } from '../../learner/enrollment';
import { Join, otherVersion } from '../../learner/join';
import { drop, keep, kept } from '../../offline/shelf';
import { ConfirmButton } from '../../ui/confirm-button';
import { Notice, Trouble } from '../../ui/notice';
import { Editor } from './editor';
import { createHandIn, type HandIn } from './hand-in';
import { History } from './history';
import type { Lab } from './lab';
import { VerdictView } from './verdict-view';

export function LabView({ lab }: { lab: Lab }) {
  const starter = lab.starter[lab.entry] ?? '';
  const source = useSignal(starter);
  const saved = useSignal(true);
  const person = signedIn()?.id ?? '';
  const key = `lab/${person}/${context().course}/${lab.id}`;
  const handIn = useMemo(() => createHandIn(key), [key]);
  const mine = enrollment.value;
  const may = mine && !otherVersion();

  useEffect(() => {
    void kept<string>('drafts', key).then((draft) => {
      if (draft !== undefined) source.value = draft;
    });
  }, [key, source]);
  useEffect(() => {
    if (!mine || !person) return;
    void handIn.loadHistory(mine.id, lab.id).catch(() => undefined);
    void handIn.resume(mine.id);
  }, [handIn, mine?.id, person, lab.id]);
  // The verdict is also a statement: the learner's progress has changed.
  useSignalEffect(() => {
    if (handIn.history.value[0]?.verdict) void loadProgress().catch(() => undefined);
  });

  const write = (text: string) => {
    source.value = text;
    void keep('drafts', key, text).then((ok) => (saved.value = ok));
  };
  const busy = ['sending', 'grading', 'waiting'].includes(handIn.phase.value);

  return (
    <div class="lab-desk">
      <Files lab={lab} />
      <Editor name={lab.entry} value={source.value} readOnly={false} onChange={write} />
      {!saved.value && <p class="small">{t('ui.lab.draft_memory')}</p>}
      <div class="buttons">
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
              source.value = starter;
              void drop('drafts', key);
            }}
          />
        )}
      </div>
      {me.value !== undefined && <Join />}
      <Outcome handIn={handIn} />
      <Hints hints={lab.hints ?? []} />
      <History items={handIn.history.value} entry={lab.entry} onTake={write} />
    </div>
  );
}

function Outcome({ handIn }: { handIn: HandIn }) {
  const { phase, trouble, history } = handIn;
  const newest = history.value[0];
  return (
    <div aria-live="polite" class="outcome">
      {phase.value === 'sending' && <p class="notice busy">{t('ui.lab.sending')}</p>}
      {phase.value === 'grading' && <p class="notice busy">{t('ui.lab.grading')}</p>}
      {phase.value === 'waiting' && <p class="notice">{t('ui.lab.waiting')}</p>}
      {phase.value === 'refused' && <Trouble cause={trouble.value} />}
      {phase.value === 'idle' && newest?.verdict && <VerdictView verdict={newest.verdict} />}
      {phase.value === 'idle' && newest && !newest.verdict && <Notice>{t('ui.lab.not_graded')}</Notice>}
    </div>
  );
}

function Files({ lab }: { lab: Lab }) {
  const others = Object.entries(lab.starter).filter(([name]) => name !== lab.entry);
  return (
    <>
      {others.map(([name, text]) => (
        <details key={name}>
          <summary>
            <code>{name}</code>
          </summary>
          <pre tabIndex={0}>{text}</pre>
        </details>
      ))}
    </>
  );
}

function Hints({ hints }: { hints: string[] }) {
  if (!hints.length) return null;
  return (
    <section class="hints" aria-labelledby="hints">
      <h2 id="hints">{t('ui.lab.hints')}</h2>
      {hints.map((hint, i) => (
        <details key={i}>
          <summary>{t('ui.lab.hint', { Number: i + 1 })}</summary>
          <p dir="auto">{hint}</p>
        </details>
      ))}
    </section>
  );
}
