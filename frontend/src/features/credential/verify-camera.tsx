import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/words';
import { readCodes } from '../../offline/codes';

/** So long the page rests between two looks: decoding in JavaScript leaves a slow phone little else. */
const rest = 150;

/** Looks until a QR code was read. The picture stays on this device, and the camera is let go as soon as nobody looks. */
export function Camera({ onText, stop }: { onText: (text: string) => void; stop: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const blind = useSignal<'refused' | 'none' | undefined>(undefined);
  useEffect(() => {
    const canvas = document.createElement('canvas');
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const letGo = () => {
      over = true;
      clearTimeout(timer);
      stream?.getTracks().forEach((track) => track.stop());
    };
    const step = async (): Promise<void> => {
      const from = video.current;
      const pen = canvas.getContext('2d');
      if (over || !from || !pen) return;
      if (from.videoWidth) {
        canvas.width = from.videoWidth;
        canvas.height = from.videoHeight;
        pen.drawImage(from, 0, 0);
        const [text] = await readCodes(pen.getImageData(0, 0, canvas.width, canvas.height)).catch(() => []);
        if (over) return;
        if (text !== undefined) {
          letGo();
          return onText(text);
        }
      }
      timer = setTimeout(() => void step(), rest);
    };
    const media = navigator.mediaDevices as MediaDevices | undefined;
    (media ? media.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } } }) : Promise.reject(new Error('no camera'))).then(
      (found) => {
        stream = found;
        if (over) return letGo();
        if (video.current) {
          video.current.srcObject = found;
          // Not every browser begins by itself with a stream that comes late.
          video.current.play().catch(() => undefined);
        }
        return step();
      },
      (cause: unknown) => {
        blind.value = cause instanceof DOMException && (cause.name === 'NotAllowedError' || cause.name === 'SecurityError') ? 'refused' : 'none';
      },
    );
    // Another app or tab in front: a camera that looks on unseen is nobody's wish.
    const hidden = () => document.visibilityState === 'hidden' && stop();
    document.addEventListener('visibilitychange', hidden);
    return () => {
      document.removeEventListener('visibilitychange', hidden);
      letGo();
    };
  }, []);
  return (
    <>
      {blind.value ? (
        <p class="notice" role="alert">
          {t(`ui.verify.camera.${blind.value}`)}
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
