import { t } from '../../i18n/words';
import { readCodes } from '../../offline/codes';
import { useCamera } from '../../ui/camera';

/** Looks until a QR code was read. */
export function Camera({ onText, stop }: { onText: (text: string) => void; stop: () => void }) {
  const { video, blind } = useCamera(readCodes, ([text]) => {
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
