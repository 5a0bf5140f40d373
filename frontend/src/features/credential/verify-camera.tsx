import { t } from '../../i18n/words';
import { readCodes } from '../../offline/codes';
import { Missing } from '../../offline/missing';
import { useCamera } from '../../ui/camera';

interface Props {
  onText: (text: string) => void;
  /** No code will ever be read here: the part that does so is not on this device. */
  onTrouble: (cause: Error) => void;
  stop: () => void;
}

/** Looks until a QR code was read. */
export function Camera({ onText, onTrouble, stop }: Props) {
  const read = async (picture: ImageData): Promise<string[]> => {
    try {
      return await readCodes(picture);
    } catch (cause) {
      if (cause instanceof Missing) onTrouble(cause);
      throw cause;
    }
  };
  const { video, blind } = useCamera(read, ([text]) => {
    if (text !== undefined) onText(text);
    return text !== undefined;
  }, stop);
  return (
    <>
      {blind ? (
        <p class="notice" role="alert">
          {t(`ui.verify.camera.${blind}`)}
        </p>
      ) : (
        <>
          <video class="sight" ref={video} autoplay muted playsInline aria-label={t('ui.verify.camera')} />
          <p class="hint">{t('ui.verify.camera.hint')}</p>
        </>
      )}
      <p class="buttons">
        <button type="button" class="button quiet" onClick={stop}>
          {t('ui.verify.camera.stop')}
        </button>
      </p>
    </>
  );
}
