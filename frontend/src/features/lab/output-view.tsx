// What a program printed: its text as it is, its tables and charts drawn. A chunk of its own: most pages show none.
import { useMemo } from 'preact/hooks';
import { t } from '../../i18n/words';
import { Figure } from './figure';
import { splitOutput } from './records';
import './output.css';

// More text than anybody reads makes a phone slow.
const mostText = 100_000;

/** `open`: the program still prints. */
export function OutputView({ output, open = false, label }: { output: string; open?: boolean; label: string }) {
  const parts = useMemo(() => splitOutput(output, open), [output, open]);
  return (
    <div class="output">
      {parts.map((part) => {
        if ('record' in part) return <Figure record={part.record} />;
        const text = part.text.replace(/^\n+|\n+$/g, '');
        if (!text) return null;
        return (
          <>
            <pre tabIndex={0} role="group" aria-label={label}>
              {text.slice(0, mostText)}
            </pre>
            {text.length > mostText && <p class="small">{t('ui.lab.output_cut')}</p>}
          </>
        );
      })}
    </div>
  );
}
