// What a course with labs needs besides itself: a Python, and the frame that it runs in.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { locale, t } from '../../i18n/words';
import { edition, modules, type Version } from '../../offline/bundle/library';
import { isKept, keepFrame } from '../../offline/python/frame';
import { choiceKey, keptPacks, listPacks, openPack, suggest, type Pack } from '../../offline/python/pack';
import { keep } from '../../offline/shelf';
import { useTask } from '../../ui/task';
import { online } from './connection';
import { size } from './size';
import { Stopped } from './trouble';

/** Whether any lab of a course is on this device. */
async function hasLabs(course: string): Promise<boolean> {
  const here = await edition(course, locale());
  return !!here && (await modules(here)).some((module) => module?.items.some(({ kind }) => kind === 'lab'));
}

/** Says whether the labs of an installed course run without a network, and fetches what they lack after saying what that costs. */
export function Python({ course, version }: { course: string; version: Version }) {
  /** The one to fetch; null when nothing is lacking. */
  const lack = useSignal<Pack | null | undefined>(undefined);
  const got = useSignal(0);
  const task = useTask();
  const look = async () => {
    if (!(await hasLabs(course))) return;
    const here = await keptPacks();
    if (here.size && (await isKept())) lack.value = null;
    else if (online.value) lack.value = suggest(await listPacks(), here);
  };
  useEffect(() => {
    // Without an answer nothing is said: the labs say it themselves.
    void look().catch(() => undefined);
  }, [course, version.digest, online.value]);
  const pack = lack.value;
  if (pack === undefined) return null;
  if (pack === null) return <p class="tick">{t('ui.offline.python.here')}</p>;
  const fetchAll = async () => {
    await keepFrame();
    await openPack(pack, (bytes) => (got.value = bytes));
    // What was fetched here is what a lab runs: nobody is asked again.
    await keep('drafts', choiceKey, pack.id);
    await look();
  };
  return (
    <div class="coming">
      <p>{t('ui.offline.python')}</p>
      {task.busy.value ? (
        <div class="bar">
          <progress value={got.value} max={pack.bytes} aria-label={t('ui.offline.python.fetch', { Size: size(pack.bytes) })} />
          <span>{t('ui.offline.progress', { Done: size(got.value), Total: size(pack.bytes) })}</span>
        </div>
      ) : (
        <p class="buttons">
          <button type="button" class="button" disabled={!online.value} onClick={() => void task.run(fetchAll)}>
            {t('ui.offline.python.fetch', { Size: size(pack.bytes) })}
          </button>
        </p>
      )}
      {task.trouble.value ? <Stopped cause={task.trouble.value} /> : null}
    </div>
  );
}
