// QR codes: drawn with the npm package `qr`, read by the browser itself where it can, else by the same package. Both are fetched when somebody asks.
import { part } from './missing';

/**
 * The squares of a code, dark ones true, with the quiet border around them. What is printed or worn wants more correction than a clean screen. Throws
 * Missing where what draws it was never fetched.
 */
export async function drawCode(text: string, ecc: 'low' | 'quartile' = 'low'): Promise<boolean[][]> {
  const { default: encodeQR } = await part(import('qr'));
  return encodeQR(text, 'raw', { ecc, border: 4 });
}

interface Detector {
  detect(image: ImageBitmapSource): Promise<{ rawValue: string }[]>;
}

/** Reads the codes in a picture, as a camera gives it. Where there is none, or none can be read, the list is empty. Throws Missing where what reads it was never fetched. */
export async function readCodes(image: ImageData): Promise<string[]> {
  const Native = (globalThis as { BarcodeDetector?: new (how: { formats: string[] }) => Detector }).BarcodeDetector;
  if (Native) {
    try {
      return (await new Native({ formats: ['qr_code'] }).detect(image)).map(({ rawValue }) => rawValue);
    } catch {
      // Some browsers have the name and nothing behind it.
    }
  }
  const { default: decodeQR } = await part(import('qr/decode.js'));
  try {
    return [decodeQR({ width: image.width, height: image.height, data: image.data })];
  } catch {
    return [];
  }
}
