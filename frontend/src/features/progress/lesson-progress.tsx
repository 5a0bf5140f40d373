import { useSignalEffect, useSignal } from '@preact/signals';
import { context } from '../../context';
import { t } from '../../i18n/words';
import { enrollment, loadProgress, progress, standing } from '../../learner/enrollment';
import { Join, otherVersion } from '../../learner/join';
import { OutboxNotes } from '../../learner/outbox-notes';
import { append } from '../../offline/outbox';

/** Under a lesson: opening it is noted once; the learner says when it is read. */
export function LessonProgress() {
  const { item } = context();
  const noted = useSignal(false);
  const done = useSignal(false);
  useSignalEffect(() => {
    const mine = enrollment.value;
    if (!mine || !progress.value || noted.peek() || otherVersion()) return;
    noted.value = true;
    if (!standing.peek().get(item)?.started) append({ enrollment_id: mine.id, verb: 'started', object_id: item });
  });
  if (!enrollment.value || otherVersion()) return <Join />;
  const read = done.value || standing.value.get(item)?.completed;
  const finish = () => {
    done.value = true;
    const { answered } = append({ enrollment_id: enrollment.value?.id ?? '', verb: 'completed', object_id: item });
    void answered.then((answer) => {
      if (answer.status === 'rejected') done.value = false;
      return loadProgress().catch(() => undefined);
    });
  };
  return (
    <div class="finish">
      {read ? (
        <p class="tick" role="status">
          {t('ui.lesson.read')}
        </p>
      ) : (
        <button type="button" class="button wide" onClick={finish}>
          {t('ui.lesson.finish')}
        </button>
      )}
      <OutboxNotes />
    </div>
  );
}
