import { describe, expect, it } from 'vitest';
import { ranged, route } from './route';

const hex = '0123456789abcdef'.repeat(4);

describe('route', () => {
  const at = (address: string) => route(new URL(address, 'https://learn.example'));
  it.each([
    ['/', { is: 'catalogue' }],
    ['/ar', { is: 'catalogue', locale: 'ar' }],
    ['/ar/', { is: 'catalogue', locale: 'ar' }],
    ['/zh-Hant/?utm=1', { is: 'catalogue', locale: 'zh-Hant' }],
    ['/ar/courses/ai-foundations', { is: 'course', locale: 'ar', course: 'ai-foundations' }],
    ['/ar/courses/ai-foundations#m2', { is: 'course', locale: 'ar', course: 'ai-foundations' }],
    ['/ar/courses/ai-foundations@3', { is: 'course', locale: 'ar', course: 'ai-foundations', number: '3' }],
    ['/ar/courses/ai-foundations%403/what-ai-is', { is: 'course', locale: 'ar', course: 'ai-foundations', number: '3', item: 'what-ai-is' }],
    ['/ar/courses/ai-foundations/what-ai-is', { is: 'course', locale: 'ar', course: 'ai-foundations', item: 'what-ai-is' }],
    // No course has such an address: only the server can say what to make of it.
    ['/ar/courses/ai-foundations@03', { is: 'course', locale: 'ar' }],
    ['/ar/courses/AI', { is: 'course', locale: 'ar' }],
    ['/ar/courses/a/b/c', { is: 'course', locale: 'ar' }],
    ['/ar/verify/x', { is: 'course', locale: 'ar' }],
    ['/verify/x', { is: 'verify' }],
    ['/app', { is: 'app' }],
    ['/app/certificates', { is: 'app' }],
    ['/assets/page-1.js', { is: 'file' }],
    // The kept frame of labs.
    ['/assets/lab-frame', { is: 'file' }],
    [`/media/${hex}.svg`, { digest: `sha256:${hex}`, ending: 'svg' }],
    [`/api/blobs/sha256:${hex}`, { digest: `sha256:${hex}` }],
    [`/api/blobs/sha256%3A${hex}`, { digest: `sha256:${hex}` }],
  ])('%s', (address, want) => expect(at(address)).toEqual(want));

  it.each(['/api/me', '/api/', '/lab/frame', '/packs.json', '/packs/light-1.js', '/sw.js', '/shell/ar.json', '/manifest.webmanifest', '/bundles/x@1/head.pack', '/institutions/x/did.json', '/ar/?portal', '/.well-known/x', '/media/x.svg', '/icons/icon.svg'])(
    '%s goes to the network',
    (address) => expect(at(address)?.is ?? at(address)?.digest).toBeUndefined(),
  );
});

describe('bytes of this device', () => {
  const bytes = new TextEncoder().encode('0123456789').buffer as ArrayBuffer;
  it.each([
    [null, 200, '0123456789', null],
    ['bytes=0-', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=8-', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    // What is not there or not understood gets the whole.
    ['bytes=10-', 200, '0123456789', null],
    ['bytes=5-2', 200, '0123456789', null],
    ['bytes=0-1,4-5', 200, '0123456789', null],
    ['lines=1-2', 200, '0123456789', null],
  ])('%s', async (range, status, body, part) => {
    const answer = ranged(range, bytes, 'sha256:x', 'mp3');
    expect([answer.status, await answer.text(), answer.headers.get('Content-Range'), answer.headers.get('ETag')]).toEqual([status, body, part, '"sha256:x"']);
    expect(answer.headers.get('Content-Type')).toBe('audio/mpeg');
  });

  it.each([
    ['svg', 'image/svg+xml'],
    ['png', 'image/png'],
    ['jpg', 'image/jpeg'],
    ['webp', 'image/webp'],
    ['opus', 'audio/ogg'],
    ['ogg', 'audio/ogg'],
    ['wav', 'audio/wav'],
    [undefined, 'application/octet-stream'],
  ])('%s has the type of the server', (ending, type) => {
    const answer = ranged(null, bytes, 'sha256:x', ending);
    expect(answer.headers.get('Content-Type')).toBe(type);
    expect(answer.headers.get('Content-Security-Policy')).toBe("default-src 'none'; sandbox");
  });
});
