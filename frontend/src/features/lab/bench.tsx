// Running the learner's code in the page. Loaded on the first press of Run, since no page needs its bytes before.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Unreached } from '../../api/problem';
import { t } from '../../i18n/words';
import { Notice, Trouble } from '../../ui/notice';
import { CheckList, type CheckOutcome } from './check-list';
import { DataFile } from './data-file';
import { langOf, type Lab } from './lab';
import { OutputView } from './output-view';
import { createRunner, type Pack, type Result, type Runner } from './run';
import { findPacks, PackChoice, type Found } from './run/packs';
import { Traceback } from './traceback';

/**
 * finding: which Pythons there are · choosing: the learner chooses one · fetching: it is on its way · running ·
 * ended: see result · unable: none runs in this browser · lost: see trouble
 */
type Phase = 'finding' | 'choosing' | 'fetching' | 'running' | 'ended' | 'unable' | 'lost';

export function createBench(lab: Lab, onEnd: (result: Result, source: string) => void) {
  const phase = signal<Phase>('finding');
  const found = signal<Found | undefined>(undefined);
  const fetched = signal<{ bytes: number; total: number } | undefined>(undefined);
  const output = signal('');
  const result = signal<Result | undefined>(undefined);
  const ran = signal('');
  const trouble = signal<unknown>(undefined);
  let runner: Runner | undefined;
  let runs = 0;
  // What came since the last frame: a program may print faster than a screen can show.
  let fresh = '';
  let drawing = 0;

  const lose = (cause: unknown) => {
    trouble.value = cause;
    phase.value = 'lost';
  };

  /** Runs the source; asks first which Python, when none was chosen. */
  async function run(source: string): Promise<void> {
    ran.value = source;
    if (runner) return start(runner);
    phase.value = 'finding';
    try {
      found.value = await findPacks();
    } catch (cause) {
      return lose(cause);
    }
    const { packs, chosen } = found.value;
    const pack = packs.find(({ id }) => id === chosen);
    if (!packs.length) phase.value = 'unable';
    else if (pack) await choose(pack);
    else phase.value = 'choosing';
  }

  async function choose(pack: Pack): Promise<void> {
    runner?.close();
    runner = undefined;
    fetched.value = undefined;
    phase.value = 'fetching';
    const next = createRunner({ pack });
    try {
      await next.load((bytes, total) => (fetched.value = { bytes, total }));
    } catch (cause) {
      next.close();
      return lose(cause);
    }
    runner = next;
    start(next);
  }

  function start(on: Runner): void {
    const me = ++runs;
    fresh = '';
    output.value = '';
    result.value = undefined;
    phase.value = 'running';
    const order = {
      entry: lab.entry,
      files: { ...lab.starter, ...lab.files, [lab.entry]: ran.value },
      checks: lab.checks,
      limits: lab.limits,
      seed: lab.seed,
      clock: lab.clock,
    };
    on.run(order, {
      onOutput: (chunk) => {
        fresh += chunk;
        drawing ||= requestAnimationFrame(() => {
          drawing = 0;
          if (phase.value === 'running') output.value += fresh;
          fresh = '';
        });
      },
      onEnd: (end) => {
        if (me !== runs) return;
        output.value = end.output;
        result.value = end;
        phase.value = 'ended';
        onEnd(end, ran.value);
      },
    });
  }

  return {
    phase,
    found,
    fetched,
    output,
    result,
    ran,
    trouble,
    run,
    choose,
    stop: () => runner?.stop(),
    /** Lets the learner choose another Python. */
    another: () => {
      if (phase.value !== 'running' && found.value) phase.value = 'choosing';
    },
    close: () => runner?.close(),
  };
}

export type Bench = ReturnType<typeof createBench>;

interface Props {
  bench: Bench;
  lab: Lab;
  source: string;
  onLine: (line: number, source: string) => void;
}

export function BenchView({ bench, lab, source, onLine }: Props) {
  const { phase, found, trouble, output, result } = bench;
  const shown = phase.value === 'running' || phase.value === 'ended';
  // On a phone what happens next is below the screen: it comes up when Run is pressed, and does not move after that.
  const status = useRef<HTMLDivElement>(null);
  const asks = phase.value !== 'ended' && phase.value !== 'fetching';
  useEffect(() => {
    if (asks) status.current?.scrollIntoView?.({ block: 'nearest' });
  }, [asks]);
  return (
    <section class="bench" aria-labelledby="bench">
      <h2 id="bench">{t('ui.lab.bench.title')}</h2>
      <div aria-live="polite" ref={status}>
        <Status bench={bench} />
      </div>
      {phase.value === 'choosing' && found.value && <PackChoice found={found.value} onChoose={(pack) => void bench.choose(pack)} />}
      {phase.value === 'lost' &&
        (trouble.value instanceof Unreached ? (
          <Notice>
            <p>{t('ui.lab.bench.away')}</p>
            <p>
              <button type="button" class="button quiet" onClick={() => void bench.run(bench.ran.value)}>
                {t('ui.retry')}
              </button>
            </p>
          </Notice>
        ) : (
          <Trouble cause={trouble.value} retry={() => void bench.run(bench.ran.value)} />
        ))}
      {phase.value === 'unable' && <Notice>{t('ui.lab.bench.unable')}</Notice>}
      {shown && output.value !== '' && <OutputView output={output.value} open={phase.value === 'running'} label={t('ui.lab.output')} />}
      {phase.value === 'ended' && result.value && (
        <Ended bench={bench} result={result.value} lab={lab} changed={source !== bench.ran.value} onLine={(line) => onLine(line, bench.ran.value)} />
      )}
    </section>
  );
}

function Status({ bench }: { bench: Bench }) {
  const { phase, fetched, result, output } = bench;
  switch (phase.value) {
    case 'finding':
      return <p class="notice busy">{t('ui.lab.bench.finding')}</p>;
    case 'fetching': {
      const { bytes, total } = fetched.value ?? { bytes: 0, total: 0 };
      return (
        <p class="notice busy">
          {t('ui.lab.bench.fetching')}
          {total > 0 && <progress max={total} value={bytes} aria-label={t('ui.lab.bench.fetching')} />}
        </p>
      );
    }
    case 'running':
      return <p class="notice busy">{t('ui.lab.bench.running')}</p>;
    case 'ended': {
      const { message, checks = [] } = result.value ?? {};
      if (message) return <p class={`notice ${message === 'author' || message === 'broken' ? 'bad' : 'plain'}`}>{t(`ui.lab.bench.end.${message}`, { Lacks: result.value?.lacks ?? '' })}</p>;
      const passed = checks.filter((check) => check.passed).length;
      return (
        <>
          <p class={`notice ${passed === checks.length ? 'good' : 'plain'}`}>
            {checks.length > 0 ? t('ui.lab.checks_passed', { Count: passed, Total: checks.length }) : t('ui.lab.bench.done')}
            {output.value === '' && ` ${t('ui.lab.bench.silent')}`}
          </p>
          <p class="small">{t('ui.lab.bench.preview')}</p>
        </>
      );
    }
    default:
      return null;
  }
}

interface EndedProps {
  bench: Bench;
  result: Result;
  lab: Lab;
  changed: boolean;
  onLine: (line: number) => void;
}

function Ended({ bench, result, lab, changed, onLine }: EndedProps) {
  const files = Object.entries(result.files);
  return (
    <>
      {changed && <p class="small">{t('ui.lab.bench.changed')}</p>}
      {result.traceback && <Traceback text={result.traceback} entry={lab.entry} onLine={onLine} />}
      {result.checks.length > 0 && <CheckList checks={outcomes(lab, result)} total={lab.points} />}
      {files.length > 0 && (
        <>
          <h3>{t('ui.lab.bench.files')}</h3>
          {files.map(([name, bytes]) => (
            <DataFile key={name} name={name} text={new TextDecoder().decode(bytes)} />
          ))}
        </>
      )}
      {(bench.found.value?.packs.length ?? 0) > 1 && (
        <button type="button" class="button quiet" onClick={bench.another}>
          {t('ui.lab.bench.another')}
        </button>
      )}
    </>
  );
}

/** What the page found, in the lab's words; hidden checks wait for the server. */
export function outcomes(lab: Lab, result: Result): CheckOutcome[] {
  return lab.checks.map((check) => {
    const seen = result.checks.find(({ id }) => id === check.id);
    const { id, title, points, rule, feedback } = check;
    const hidden = check.visible === false;
    const lang = (text: string) => langOf(lab, `check.${id}.${text}`);
    if (!seen) return { id, title, title_lang: lang('title'), points, hidden, passed: undefined };
    const { passed, got, expected, error, says } = seen;
    const said = Object.entries(rule?.says ?? {}).find(([, text]) => text === says);
    const langs = { title_lang: lang('title'), feedback_lang: lang('feedback'), says_lang: said && lang(`says.${said[0]}`) };
    return { id, title, points, passed, feedback, got, expected, error, says, ...langs, call: rule?.call ?? rule?.file };
  });
}
