// Output that is drawn by a chunk of its own; until that is there, and where it cannot be fetched, it is plain text.
import { t } from '../../i18n/words';
import { useLoaded } from '../../ui/loaded';

export function Output({ output }: { output: string }) {
  const loaded = useLoaded(() => import('./output-view'));
  const label = t('ui.lab.output');
  if (loaded) return <loaded.OutputView output={output} label={label} />;
  return (
    <pre tabIndex={0} role="group" aria-label={label}>
      {output.replace(/\u001e/g, '')}
    </pre>
  );
}
