// What people should know of what they did: what waits on this device, what was refused, and when this browser keeps nothing.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { signedIn } from '../api/me';
import { context } from '../context';
import { t } from '../i18n/words';
import { durable, refused, waiting } from '../offline/outbox';
import { Notice } from '../ui/notice';
import type { SyncState } from './sync-state';

export function OutboxNotes() {
  const count = waiting.value.length;
  const State = useSyncState(count > 0);
  return (
    <div aria-live="polite">
      {refused.value.map(({ detail }) => (
        <Notice kind="bad">
          <p>{t('ui.outbox.refused')}</p>
          <p>{detail}</p>
        </Notice>
      ))}
      {count > 0 && (
        <p class="small waiting">
          {t('ui.outbox.waiting', { Count: count })} {!durable.value && t('ui.outbox.memory')}
        </p>
      )}
      {count > 0 && State && <State />}
    </div>
  );
}

/** Why it waits, and a button: fetched while there is a network. */
function useSyncState(waits: boolean): typeof SyncState | undefined {
  const there = useSignal<{ View: typeof SyncState } | undefined>(undefined);
  const here = signedIn() !== undefined;
  useEffect(() => {
    if (!here || there.value) return;
    const load = async () => {
      const { loadSyncWords, SyncState: View } = await import('./sync-state');
      await loadSyncWords(context().locale);
      there.value = { View };
    };
    void load().catch(() => undefined);
  }, [here, waits]);
  return there.value?.View;
}
