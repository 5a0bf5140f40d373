// What people should know of the outbox: what waits, what was refused, and when this browser keeps nothing.
import { t } from '../i18n/words';
import { durable, refused, waiting } from '../offline/outbox';
import { Notice } from '../ui/notice';

export function OutboxNotes() {
  const count = waiting.value.length;
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
    </div>
  );
}
