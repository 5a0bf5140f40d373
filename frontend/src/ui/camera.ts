import { useSignal } from '@preact/signals';
import { useEffect, useRef, type MutableRef } from 'preact/hooks';

/** So long the page rests between two looks: decoding in JavaScript leaves a slow phone little else. */
const rest = 150;

export interface Sight {
  /** Belongs to the <video> that shows what the camera sees. */
  video: MutableRef<HTMLVideoElement | null>;
  /** Why there is nothing to see: the person or the browser said no, or there is no camera. */
  blind: 'refused' | 'none' | undefined;
}

/**
 * Looks through the camera for what `read` finds in a picture, from now until `onCodes` answers true (it has what it wants) or the part of the page goes away.
 * The picture stays on this device. Another app or tab in front calls `stop`: a camera that looks on unseen is nobody's wish.
 */
export function useCamera(read: (picture: ImageData) => Promise<string[]>, onCodes: (texts: string[]) => boolean, stop: () => void): Sight {
  const video = useRef<HTMLVideoElement>(null);
  const blind = useSignal<Sight['blind']>(undefined);
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
        const texts = await read(pen.getImageData(0, 0, canvas.width, canvas.height)).catch(() => []);
        if (over) return;
        if (onCodes(texts)) return letGo();
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
    const hidden = () => document.visibilityState === 'hidden' && stop();
    document.addEventListener('visibilitychange', hidden);
    return () => {
      document.removeEventListener('visibilitychange', hidden);
      letGo();
    };
  }, []);
  return { video, blind: blind.value };
}
