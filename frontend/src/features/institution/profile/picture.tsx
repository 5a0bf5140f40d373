import { useId } from 'preact/hooks';
import type { Schemas } from '../../../api/client';
import { t } from '../../../i18n/words';
import { Trouble } from '../../../ui/notice';
import { useTask } from '../../../ui/task';

interface Props {
  label: string;
  /** What the picture shows, for those who do not see it. */
  alt: string;
  picture: Schemas['Picture'] | undefined;
  onPut: (file: File) => Promise<void>;
  onRemove: () => Promise<void>;
}

/** A picture that is sent as soon as it is chosen. The server draws it anew. */
export function PictureField({ label, alt, picture, onPut, onRemove }: Props) {
  const id = useId();
  const task = useTask();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {picture && (
        <p>
          <img class="emblem" src={picture.url} alt={alt} width={picture.width} height={picture.height} />
        </p>
      )}
      <input
        id={id}
        type="file"
        accept="image/png,image/jpeg"
        aria-describedby={`${id}-hint`}
        onChange={(event) => {
          const input = event.currentTarget;
          const file = input.files?.[0];
          if (file) void task.run(() => onPut(file)).then(() => (input.value = ''));
        }}
      />
      <small id={`${id}-hint`}>{t('ui.app.profile.logo_hint')}</small>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      {picture && (
        <p>
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void task.run(onRemove)}>
            {t('ui.app.profile.remove_picture')}
            <span class="unseen"> {alt}</span>
          </button>
        </p>
      )}
    </div>
  );
}
