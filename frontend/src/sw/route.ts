// Which requests the service worker answers. What is not here goes to the network as if there were no worker.

export interface Route {
  /** Of a page: app, catalogue, or another. `file` is a built file. */
  is?: string;
  /** Not there where the address does not say it. */
  locale?: string;
  course?: string | undefined;
  /** Not there where the address names no version. */
  number?: string | undefined;
  item?: string | undefined;
  /** Of bytes. */
  digest?: string;
  ending?: string | undefined;
}

export function route({ pathname, search }: URL): Route | undefined {
  // A way to the page of a network that answers for everybody.
  if (search === '?portal') return undefined;
  const [, digest, ending] = /^\/(?:media\/|api\/blobs\/sha256(?::|%3A))(\w{64})(?:\.(\w+))?$/i.exec(pathname) ?? [];
  if (digest) return { digest: `sha256:${digest}`, ending };
  const [, first = '', ...more] = pathname.split('/');
  const rest = more.join('/');
  if (first === 'assets') return { is: 'file' };
  if (!first) return { is: 'catalogue' };
  if (first === 'app' || first === 'verify') return { is: first };
  // /api/, /lab/ and the like look like languages, and are none.
  if (!/^(?!api|lab)[a-z]{2,3}(-\w+)*$/.test(first)) return undefined;
  const [, course, number, item] = /^courses\/([a-z][a-z0-9-]+)(?:(?:@|%40)([1-9]\d*))?(?:\/([a-z][a-z0-9-]+))?$/.exec(rest) ?? [];
  return { is: rest ? 'course' : 'catalogue', locale: first, course, number, item };
}

const named: Record<string, string> = { svg: 'svg+xml', jpg: 'jpeg', opus: 'ogg', mp3: 'mpeg' };

/**
 * Answers with bytes of this device, with the part that was asked for: players ask in parts. A part that is not there gets the whole, as
 * RFC 9110 (14.2) allows. The headers are those of api/web/media.go.
 */
export function ranged(range: string | null, bytes: ArrayBuffer, digest: string, ending?: string): Response {
  const size = bytes.byteLength;
  const [asked, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  const start = from ? +from : Math.max(0, size - +(to || size));
  const end = Math.min(from && to ? +to + 1 : size, size);
  const part = asked && start < end;
  const headers: Record<string, string> = {
    'Content-Type': ending ? `${/^(png|jpg|webp|svg)$/.test(ending) ? 'image' : 'audio'}/${named[ending] ?? ending}` : 'application/octet-stream',
    // A drawing that is opened by itself may do nothing.
    'Content-Security-Policy': "default-src 'none'; sandbox",
    ETag: `"${digest}"`,
  };
  if (part) headers['Content-Range'] = `bytes ${start}-${end - 1}/${size}`;
  return new Response(part ? bytes.slice(start, end) : bytes, { status: part ? 206 : 200, headers });
}
