// On the page of a completed course: what its certificate still waits for. A chunk of its own, for who gets there.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import words from 'virtual:words/award';
import { api, ask, type Schemas } from '../../api/client';
import { loadWords, locale, t } from '../../i18n/words';
import { Notice } from '../../ui/notice';

/** Nothing where nothing is missing, or the server is not reached: the certificate is what counts. */
export function Award({ course }: { course: string }) {
  const award = useSignal<Schemas['Award'] | undefined>(undefined);
  useEffect(() => {
    const look = async () => {
      const [{ items }] = await Promise.all([ask(api.GET('/api/awards', { params: { query: { limit: 200 } } })), loadWords(locale(), words)]);
      award.value = items.find((one) => one.course_id === course && one.state !== 'issued');
    };
    look().catch(() => undefined);
  }, [course]);
  const now = award.value;
  if (!now) return null;
  return (
    <Notice>
      {now.state === 'ready' && <p>{t('ui.award.soon')}</p>}
      {now.state === 'refused' && <p>{t('ui.award.refused_because', { Reason: now.refused_reason ?? '' })}</p>}
      {now.wants.length > 0 && (
        <>
          <p>{t('ui.award.for_certificate')}</p>
          <ul>
            {now.wants.map((want) => (
              <li key={want}>{t(`ui.award.want.${want}`)}</li>
            ))}
          </ul>
        </>
      )}
    </Notice>
  );
}
