// A file to look at: as a table where it is one, else as the text that it is.
import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { formatNumber, t } from '../../i18n/words';
import { parseCSV } from './csv';
import { DataTable } from './figure';
import './output.css';

const mostRows = 200;
const mostText = 100_000;

export function DataFile({ name, text }: { name: string; text: string }) {
  const open = useSignal(false);
  return (
    <details class="data-file" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>
        <code dir="ltr">{name}</code> <span class="small size">{sizeOf(text)}</span>
      </summary>
      {open.value && <Content name={name} text={text} />}
    </details>
  );
}

function Content({ name, text }: { name: string; text: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const wide = useSignal(false);
  const body = <Body name={name} text={text} />;
  return (
    <>
      {!wide.value && body}
      {typeof HTMLDialogElement !== 'undefined' && (
        <>
          <button
            type="button"
            class="button quiet"
            onClick={() => {
              wide.value = true;
              dialog.current?.showModal();
            }}
          >
            {t('ui.lab.file.wide')}
            <span class="unseen"> {name}</span>
          </button>
          <dialog ref={dialog} class="wide" aria-label={name} onClose={() => (wide.value = false)}>
            {wide.value && (
              <>
                <div class="wide-head">
                  <code dir="ltr">{name}</code>
                  <button type="button" class="button quiet" onClick={() => dialog.current?.close()}>
                    {t('ui.lab.file.close')}
                  </button>
                </div>
                {body}
              </>
            )}
          </dialog>
        </>
      )}
    </>
  );
}

function Body({ name, text }: { name: string; text: string }) {
  const table = useMemo(() => (name.endsWith('.csv') ? parseCSV(text, mostRows) : null), [name, text]);
  if (!table) {
    return (
      <>
        <pre tabIndex={0} role="group" aria-label={name}>
          {text.slice(0, mostText)}
        </pre>
        {text.length > mostText && <p class="small">{t('ui.lab.output_cut')}</p>}
      </>
    );
  }
  const [columns = [], ...rows] = table.rows;
  return (
    <>
      <DataTable title={name} columns={columns} rows={rows.map((row) => columns.map((_, i) => numeric(row[i] ?? '')))} />
      <p class="small">
        {t('ui.lab.file.rows', { Count: table.total })}
        {table.total > rows.length && ` ${t('ui.lab.file.first_rows', { Count: rows.length })}`}
      </p>
    </>
  );
}

// Figures stand under each other; a figure that would look different as a number stays text.
const numeric = (cell: string) => (cell !== '' && String(Number(cell)) === cell ? Number(cell) : cell);

function sizeOf(text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  return bytes < 1024
    ? t('ui.lab.file.bytes', { Count: bytes })
    : t('ui.lab.file.kib', { Size: formatNumber(bytes / 1024, { maximumFractionDigits: 1 }) });
}
