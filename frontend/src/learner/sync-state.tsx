// Why something waits, what to do about it, and when this device and the server last agreed.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import words from 'virtual:words/sync';
import { Problem, Unreached } from '../api/problem';
import { formatDate, loadWords, t } from '../i18n/words';
import { signInHref } from '../next';
import { changes, listHandIns } from '../offline/hand-ins';
import { Locked } from '../offline/locker';
import { currentUser, lastSync, sending, syncNow, syncTrouble, waiting } from '../offline/outbox';
import { Elsewhere } from '../offline/refusals';

/** Fetches what is said here. */
export const loadSyncWords = (locale: string): Promise<void> => loadWords(locale, words);

/** Whose turn it is: the network's, the server's or the learner's. */
function reason(cause: unknown): 'away' | 'signed_out' | 'elsewhere' | 'locked' | 'busy' {
  if (cause === undefined || cause instanceof Unreached) return 'away';
  if (cause instanceof Elsewhere) return 'elsewhere';
  if (cause instanceof Locked) return 'locked';
  return cause instanceof Problem && cause.status === 401 ? 'signed_out' : 'busy';
}

const patience = 1500;

/** Shown when something waits for longer than sending takes. `whole`: at once, and also when nothing waits. */
export function SyncState({ whole = false }: { whole?: boolean }) {
  const late = useSignal(whole);
  useEffect(() => {
    const timer = setTimeout(() => (late.value = true), patience);
    return () => clearTimeout(timer);
  }, []);
  const handIns = useHandInsWaiting();
  const cause = syncTrouble.value;
  const waits = waiting.value.length + handIns > 0;
  if (!late.value || (!waits && !whole)) return null;
  const why = reason(cause);
  return (
    <div class="sync-state small">
      {handIns > 0 && <p>{t('ui.sync.hand_ins', { Count: handIns })}</p>}
      {sending.value ? (
        <p class="busy">{t('ui.sync.sending')}</p>
      ) : (
        <>
          {(waits || cause !== undefined) && (
            <p>
              {t(waits ? `ui.sync.waits.${why}` : `ui.sync.stands.${why}`)}{' '}
              {why === 'signed_out' && <a href={signInHref()}>{t('ui.sign_in')}</a>}
            </p>
          )}
          {lastSync.value && !waits && cause === undefined && <p>{t('ui.sync.last', { Date: formatDate(lastSync.value, true) })}</p>}
          <p>
            <button type="button" class="button quiet" onClick={() => void syncNow()}>
              {t(waits ? 'ui.sync.send' : 'ui.sync.now')}
            </button>
          </p>
        </>
      )}
    </div>
  );
}

function useHandInsWaiting(): number {
  const count = useSignal(0);
  const user = currentUser();
  useEffect(() => {
    void listHandIns(user).then(
      (all) => (count.value = all.filter(({ state }) => state === 'waiting').length),
      () => undefined,
    );
  }, [user, changes.value]);
  return count.value;
}
