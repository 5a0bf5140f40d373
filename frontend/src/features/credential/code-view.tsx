import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, ask } from '../../api/client';
import { signedIn } from '../../api/me';
import { Unreached } from '../../api/problem';
import { t } from '../../i18n/words';
import { drawCode } from '../../offline/codes';
import { recall } from '../../offline/kept';
import { Missing } from '../../offline/missing';
import type { Certificates } from '../../offline/sync';
import { NotFetched } from './not-fetched';
import './verify.css';

/** The text of the code, from the server, or as this device keeps it. */
async function textOf(id: string, named: boolean): Promise<string> {
  const params = { path: { credential_id: id }, query: { name: named ? (1 as const) : (0 as const) } };
  try {
    return await ask(api.GET('/api/credentials/{credential_id}/code.txt', { params, parseAs: 'text' }));
  } catch (cause) {
    const kept = cause instanceof Unreached && (await recall<Certificates>(signedIn()?.id ?? '', 'credentials'))?.codes?.[id];
    if (!kept) throw cause;
    return kept[named ? 1 : 0];
  }
}

/** The QR code of a certificate, large on the screen, with or without its holder's name: for who checks it with a camera. */
export function CodeView({ id, achievement }: { id: string; achievement: string }) {
  const open = useSignal(false);
  return (
    <div class="code-view">
      <p class="buttons">
        <button type="button" class="button quiet" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
          {t(open.value ? 'ui.app.code.hide' : 'ui.app.code.show')}
          <span class="unseen"> {achievement}</span>
        </button>
      </p>
      {open.value && <Code id={id} achievement={achievement} />}
    </div>
  );
}

function Code({ id, achievement }: { id: string; achievement: string }) {
  const named = useSignal(true);
  const drawn = useSignal(false);
  const canvas = useRef<HTMLCanvasElement>(null);
  const trouble = useSignal<unknown>(undefined);
  useEffect(() => {
    let over = false;
    drawn.value = false;
    trouble.value = undefined;
    const draw = async () => {
      const squares = await drawCode(await textOf(id, named.value), 'quartile');
      const to = canvas.current;
      const pen = to?.getContext('2d');
      if (over || !to || !pen) return;
      // Six dots a square, and the browser makes it as large as the screen.
      const scale = 6;
      to.width = to.height = squares.length * scale;
      pen.fillStyle = '#fff';
      pen.fillRect(0, 0, to.width, to.height);
      pen.fillStyle = '#000';
      squares.forEach((row, y) => row.forEach((dark, x) => dark && pen.fillRect(x * scale, y * scale, scale, scale)));
      drawn.value = true;
    };
    draw().catch((cause: unknown) => {
      if (!over) trouble.value = cause;
    });
    return () => void (over = true);
  }, [named.value]);
  return (
    <div>
      {trouble.value instanceof Unreached && !(trouble.value instanceof Missing) ? (
        <p class="notice" role="status">
          {t('ui.app.code.away')}
        </p>
      ) : trouble.value ? (
        <NotFetched cause={trouble.value} />
      ) : null}
      <canvas class="qr-code" ref={canvas} hidden={!drawn.value} role="img" aria-label={t('ui.app.code.picture', { Name: achievement })} />
      <p class="boxes">
        <label>
          <input type="checkbox" checked={named.value} onChange={(event) => (named.value = event.currentTarget.checked)} />
          <span>
            {t('ui.app.code.named')}
            <small>{t('ui.app.code.hint')}</small>
          </span>
        </label>
      </p>
    </div>
  );
}
