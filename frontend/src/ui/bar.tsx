import { t } from '../i18n/words';

/** How much is done, in a bar and in words. */
export function Bar({ done, total }: { done: number; total: number }) {
  const text = t('ui.progress.count', { Count: done, Total: total });
  return (
    <div class="bar">
      <progress value={done} max={total || 1} aria-label={text} />
      <span aria-hidden="true">{text}</span>
    </div>
  );
}
