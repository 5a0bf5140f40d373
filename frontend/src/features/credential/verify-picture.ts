// Finds a credential in what somebody brings: its text, a picture that carries one inside, or a photo of a QR code.
import { readCodes } from '../../offline/codes';

/** Why there is none. */
export class NothingFound extends Error {
  constructor(readonly why: 'no_code' | 'too_large') {
    super(why);
  }
}

const most = 20 * 1024 * 1024;
const text = 256 * 1024;
/** Wide enough for the finest code on a sheet, and soon looked through. */
const width = 1600;

/** The text of the credential in a file. Throws NothingFound. */
export async function readFile(file: Blob): Promise<string> {
  if (file.size > most) throw new NothingFound('too_large');
  const bytes = new Uint8Array(await new Response(file).arrayBuffer());
  if (isPNG(bytes)) return baked(bytes) ?? (await readPhoto(file));
  const first = new TextDecoder().decode(bytes.subarray(0, 512)).trim();
  if (/^(<\?xml|<!--|<svg)/.test(first)) return inDrawing(new TextDecoder().decode(bytes)) ?? (await readPhoto(file));
  if (/^(\{|BNY[0-9]+:|ey[A-Za-z0-9_-]+\.)/.test(first)) {
    if (bytes.length > text) throw new NothingFound('too_large');
    return new TextDecoder().decode(bytes);
  }
  return readPhoto(file);
}

const isPNG = (bytes: Uint8Array) => [0x89, 0x50, 0x4e, 0x47].every((byte, i) => bytes[i] === byte);

/** The credential that Open Badges puts into a PNG: an iTXt chunk, which we write uncompressed. */
export function baked(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const keyword = 'openbadgecredential';
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) return undefined;
    const name = String.fromCharCode(...Array.from(bytes.subarray(at + 4, at + 8)));
    if (name === 'IEND') return undefined;
    const body = bytes.subarray(at + 8, end);
    if (name === 'iTXt' && length <= text && String.fromCharCode(...Array.from(body.subarray(0, keyword.length))) === keyword && body[keyword.length] === 0) {
      // Keyword, 0, compressed?, how, language, 0, translated keyword, 0, text.
      const language = body.indexOf(0, keyword.length + 3);
      const translated = language < 0 ? -1 : body.indexOf(0, language + 1);
      return translated < 0 || body[keyword.length + 1] !== 0 ? undefined : new TextDecoder().decode(body.subarray(translated + 1));
    }
    at = end + 4;
  }
  return undefined;
}

/** The credential that Open Badges puts into an SVG: the text of an element, or an attribute where it is a token. Nothing of it is drawn. */
export function inDrawing(svg: string): string | undefined {
  if (svg.length > 4 * text) return undefined;
  const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
  const [found] = Array.from(parsed.getElementsByTagNameNS('https://purl.imsglobal.org/ob/v3p0', 'credential'));
  return found ? found.getAttribute('verify') || (found.textContent ?? '').trim() || undefined : undefined;
}

async function readPhoto(file: Blob): Promise<string> {
  const picture = await load(file);
  const scale = Math.min(1, width / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext('2d');
  if (!pen) throw new NothingFound('no_code');
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const [found] = await readCodes(pen.getImageData(0, 0, canvas.width, canvas.height));
  if (found === undefined) throw new NothingFound('no_code');
  return found;
}

// The page's policy lets no address of a blob be drawn. A drawing (SVG) is no bitmap to browsers: it goes in as text, and runs nothing.
async function load(file: Blob): Promise<ImageBitmap | HTMLImageElement> {
  try {
    return await createImageBitmap(file);
  } catch {
    return new Promise((resolve, reject) => {
      const nothing = () => reject(new NothingFound('no_code'));
      const reader = new FileReader();
      const picture = new Image();
      picture.onload = () => {
        // A drawing may state no size.
        if (!picture.width) picture.width = picture.height = width;
        resolve(picture);
      };
      picture.onerror = reader.onerror = nothing;
      reader.onload = () => (picture.src = reader.result as string);
      reader.readAsDataURL(file);
    });
  }
}
