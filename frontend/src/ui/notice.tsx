import type { ComponentChildren } from 'preact';
import { Problem, Unreached } from '../api/problem';
import { t } from '../i18n/words';

type Kind = 'good' | 'bad' | 'plain';

/** A box that says something, and is read aloud when it appears. */
export function Notice({ kind = 'plain', children }: { kind?: Kind; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

/** What went wrong, calmly, and a way to try once more where that can help. */
export function Trouble({ cause, retry }: { cause: unknown; retry?: () => void }) {
  return (
    <Notice kind={cause instanceof Unreached ? 'plain' : 'bad'}>
      <p>{words(cause)}</p>
      {cause instanceof Problem && cause.errors.length > 0 && (
        <ul>
          {cause.errors.map((error) => (
            <li>{error.detail}</li>
          ))}
        </ul>
      )}
      {retry && (
        <p>
          <button type="button" class="button quiet" onClick={retry}>
            {t('ui.retry')}
          </button>
        </p>
      )}
    </Notice>
  );
}

function words(cause: unknown): string {
  if (cause instanceof Unreached) return t('ui.unreached');
  if (cause instanceof Problem && cause.message) return cause.message;
  return t('ui.broken');
}
