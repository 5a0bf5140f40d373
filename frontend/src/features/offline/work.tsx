// Work that finds no network leaves with whoever goes where there is one: as a file, or as codes that another phone reads off this screen.
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { signedIn } from '../../api/me';
import { exportWork, importWork, NoWork } from '../../offline/export';
import { drawCode, readCodes } from '../../offline/codes';
import { Collector, frames } from '../../offline/frames';
import { locale, t } from '../../i18n/words';
import { useCamera } from '../../ui/camera';
import { Notice, Trouble } from '../../ui/notice';
import { useTask } from '../../ui/task';

/** So long each code stands, so that a slow camera has it. */
const shownFor = 700;

function Refused({ cause }: { cause: unknown }) {
  if (!(cause instanceof NoWork)) return <Trouble cause={cause} />;
  return (
    <Notice>
      <p>{t(`ui.offline.work.${cause.why}`)}</p>
    </Notice>
  );
}

/** What waits here, for others to carry. */
export function Work() {
  const person = signedIn();
  const task = useTask();
  const saved = useSignal<number | undefined>(undefined);
  const codes = useSignal<readonly string[] | undefined>(undefined);
  if (!person) return null;
  const save = () =>
    task.run(async () => {
      saved.value = undefined;
      const { name, file, count } = await exportWork(person.id, locale());
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([file as BlobPart], { type: 'application/octet-stream' }));
      link.download = name;
      link.click();
      // The browser has taken hold of it by the next turn.
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      saved.value = count;
    });
  const show = () =>
    task.run(async () => {
      codes.value = frames((await exportWork(person.id, locale())).file);
    });
  return (
    <section>
      <h2>{t('ui.offline.work')}</h2>
      <p class="hint">{t('ui.offline.work.lead')}</p>
      {codes.value ? (
        <Codes texts={codes.value} stop={() => (codes.value = undefined)} />
      ) : (
        <p class="buttons">
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void save()}>
            {t('ui.offline.work.file')}
          </button>
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void show()}>
            {t('ui.offline.work.codes')}
          </button>
        </p>
      )}
      {saved.value !== undefined && (
        <Notice kind="good">
          <p>{t('ui.offline.work.saved', { Count: saved.value })}</p>
        </Notice>
      )}
      {task.trouble.value ? <Refused cause={task.trouble.value} /> : null}
    </section>
  );
}

/** One code after the other, round and round. */
function Codes({ texts, stop }: { texts: readonly string[]; stop: () => void }) {
  const at = useSignal(0);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (texts.length < 2) return undefined;
    const timer = setInterval(() => (at.value = (at.value + 1) % texts.length), shownFor);
    return () => clearInterval(timer);
  }, [texts]);
  useEffect(() => {
    const text = texts[at.value];
    if (text === undefined) return;
    void drawCode(text).then((squares) => {
      const to = canvas.current;
      const pen = to?.getContext('2d');
      if (!to || !pen) return;
      // Four dots a square, and the browser makes it as large as the screen.
      const scale = 4;
      to.width = to.height = squares.length * scale;
      pen.fillStyle = '#fff';
      pen.fillRect(0, 0, to.width, to.height);
      pen.fillStyle = '#000';
      squares.forEach((row, y) => row.forEach((dark, x) => dark && pen.fillRect(x * scale, y * scale, scale, scale)));
    });
  }, [texts, at.value]);
  return (
    <>
      <canvas class="code" ref={canvas} role="img" aria-label={t('ui.offline.work.codes')} />
      <p aria-hidden="true">{t('ui.offline.work.code', { Number: at.value + 1, Total: texts.length })}</p>
      <p class="buttons">
        <button type="button" class="button" onClick={stop}>
          {t('ui.offline.work.stop')}
        </button>
      </p>
    </>
  );
}

/** Takes the work of somebody else, and brings it to the server now or with the next network. */
export function Carry() {
  const task = useTask();
  const done = useSignal<'taken' | 'kept' | undefined>(undefined);
  const camera = useSignal(false);
  const take = (bytes: () => Promise<Uint8Array>) =>
    task.run(async () => {
      done.value = undefined;
      done.value = (await importWork(await bytes())) ? 'taken' : 'kept';
    });
  return (
    <section>
      <h2 id="carry">{t('ui.offline.carry')}</h2>
      <p class="field">
        <label>
          {t('ui.offline.carry.file')}
          <input
            type="file"
            accept=".banyan-work"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              event.currentTarget.value = '';
              if (file) void take(async () => new Uint8Array(await new Response(file).arrayBuffer()));
            }}
          />
        </label>
      </p>
      {camera.value ? (
        <Camera
          onFile={(file) => {
            camera.value = false;
            void take(() => Promise.resolve(file));
          }}
          open={camera}
        />
      ) : (
        <p class="buttons">
          <button type="button" class="button quiet" onClick={() => (camera.value = true)}>
            {t('ui.offline.carry.camera')}
          </button>
        </p>
      )}
      {done.value && (
        <Notice kind="good">
          <p>{t(done.value === 'taken' ? 'ui.offline.carry.taken' : 'ui.offline.carry.kept')}</p>
        </Notice>
      )}
      {task.trouble.value ? <Refused cause={task.trouble.value} /> : null}
    </section>
  );
}

/** Looks until all codes of a file were read. */
function Camera({ onFile, open }: { onFile: (file: Uint8Array) => void; open: Signal<boolean> }) {
  const seen = useSignal({ read: 0, total: 0 });
  const collector = useRef(new Collector()).current;
  const stop = () => (open.value = false);
  const { video, blind } = useCamera(readCodes, (texts) => {
    for (const text of texts) collector.add(text);
    seen.value = { read: collector.read, total: collector.total };
    const file = collector.file();
    if (file) onFile(file);
    return file !== undefined;
  }, stop);
  return (
    <>
      {blind ? <p class="hint">{t('ui.offline.carry.no_camera')}</p> : <video class="code" ref={video} autoplay muted playsInline />}
      <p role="status">{seen.value.total > 0 && t('ui.offline.carry.read', { Number: seen.value.read, Total: seen.value.total })}</p>
      <p class="buttons">
        <button type="button" class="button" onClick={stop}>
          {t('ui.offline.work.stop')}
        </button>
      </p>
    </>
  );
}
