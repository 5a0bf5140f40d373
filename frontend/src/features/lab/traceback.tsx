// What Python says about an error; a tap on one of its line numbers goes to that line of the editor.
import { t } from '../../i18n/words';
import { splitTraceback } from './trace';

export function Traceback({ text, entry, onLine }: { text: string; entry: string; onLine: (line: number) => void }) {
  return (
    <div class="traceback">
      <p class="small">{t('ui.lab.traceback')}</p>
      <pre tabIndex={0} role="group" aria-label={t('ui.lab.traceback')}>
        {splitTraceback(text, entry).map((part) =>
          typeof part === 'string' ? (
            part
          ) : (
            <button type="button" class="to-line" aria-label={t('ui.lab.to_line', { Number: part.line })} onClick={() => onLine(part.line)}>
              {part.text}
            </button>
          ),
        )}
      </pre>
    </div>
  );
}
