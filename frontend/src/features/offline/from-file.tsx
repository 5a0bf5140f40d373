import { useSignal } from '@preact/signals';
import { formatList, t } from '../../i18n/words';
import { http } from '../../offline/bundle/http';
import { importFile, trustPublishers } from '../../offline/bundle/shelf';
import { nameOf } from '../../ui/languages';
import { Notice } from '../../ui/notice';
import { useTask } from '../../ui/task';
import { titleOf } from './title';
import { Stopped } from './trouble';

/** A course that a friend, a teacher or a memory card brings. */
export function FromFile() {
  const task = useTask();
  const done = useSignal<{ course: string; number: number; left: string[] } | undefined>(undefined);
  const progress = useSignal<{ bytes: number; of: number } | undefined>(undefined);
  const take = (file: File) =>
    task.run(async () => {
      done.value = undefined;
      try {
        const { course, version, left } = await importFile(file, {
          onProgress: (now) => (progress.value = now),
          // Perhaps the server knows a publisher whom this device has not met.
          publishers: async () => trustPublishers(await http.publishers().catch(() => [])),
        });
        done.value = { course: (await titleOf(course, version.rule.locales)).text, number: version.number, left };
      } finally {
        progress.value = undefined;
      }
    });
  return (
    <section>
      <h2 id="from-file">{t('ui.offline.import')}</h2>
      <p class="hint">{t('ui.offline.import.hint')}</p>
      <p class="field">
        <input
          type="file"
          accept=".banyan"
          aria-labelledby="from-file"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = '';
            if (file) void take(file);
          }}
        />
      </p>
      {progress.value && (
        <div class="bar">
          <progress value={progress.value.bytes} max={progress.value.of || 1} aria-label={t('ui.offline.checking')} />
          <span>{t('ui.offline.checking')}</span>
        </div>
      )}
      {done.value && (
        <Notice kind="good">
          <p>{t('ui.offline.import.done', { Course: done.value.course, Number: done.value.number })}</p>
          {done.value.left.length > 0 && <p>{t('ui.offline.import.left', { Languages: formatList(done.value.left.map(nameOf)) })}</p>}
        </Notice>
      )}
      {task.trouble.value ? <Stopped cause={task.trouble.value} /> : null}
    </section>
  );
}
