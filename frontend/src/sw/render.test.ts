import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Root } from '../offline/bundle/documents';
import { pages } from './render';
import { route } from './route';
import type { Shell } from './shell';

// api/web/vectors_test.go writes it.
const file = join(__dirname, 'testdata/pages.json');
const vectors = JSON.parse(readFileSync(file, 'utf8')) as { root: Root; shells: Record<string, Shell>; blobs: Record<string, string>; pages: Record<string, string> };
const { root, blobs } = vectors;

const on = (locale: string, kept: Record<string, string> = blobs) => pages(vectors.shells[locale] as Shell, (digest) => Promise.resolve(kept[digest]));

async function render(address: string): Promise<string | undefined> {
  const to = route(new URL(address, 'https://learn.example'));
  if (to?.is === 'app') return on('ar').plain('app', []);
  const make = on(to?.locale ?? '');
  return to?.is === 'catalogue' ? make.plain('catalogue', [root]) : make.course(root, !!to?.number, to?.item);
}

describe('a page of the device', () => {
  it.each(Object.keys(vectors.pages))('%s has the bytes of the server', async (address) => {
    expect(await render(address)).toBe(vectors.pages[address]);
  });

  it('is not made where something is missing', async () => {
    const edition = JSON.parse(blobs[root.editions['ar']?.digest as string] as string) as { modules: { digest: string }[] };
    const module = JSON.parse(blobs[edition.modules[0]?.digest as string] as string) as { items: { id: string; digest: string }[] };
    const item = module.items.find(({ id }) => id === 'first')?.digest as string;
    const fragment = (JSON.parse(blobs[item] as string) as { blobs: { digest: string }[] }).blobs[0]?.digest as string;
    const without = (...gone: string[]) => on('ar', Object.fromEntries(Object.entries(blobs).filter(([digest]) => !gone.includes(digest))));
    expect(await without(fragment).course(root, false, 'first')).toBeUndefined();
    expect(await without(item).course(root, false, 'first')).toBeUndefined();
    expect(await without().course(root, false, 'no-such-item')).toBeUndefined();
    // The course's own page says what there is.
    expect(await without(item, fragment).course(root, false)).toBe(vectors.pages['/ar/courses/golden']);
    expect(await without(edition.modules[0]?.digest as string).course(root, false)).toContain('<ol class="items"></ol>');
    expect(await without(root.editions['ar']?.digest as string).course(root, false)).toBeUndefined();
  });

  it('lists a course in a language in which it is here', async () => {
    const withoutArabic = on('ar', Object.fromEntries(Object.entries(blobs).filter(([digest]) => digest !== root.editions['ar']?.digest)));
    expect(await withoutArabic.plain('catalogue', [root])).toContain('<a href="/en/courses/golden" lang="en" dir="ltr">');
  });

  it('says what is missing, and what can be opened', async () => {
    const page = await on('ar').plain('offline', [root], { at: '/courses/other', href: '/ar/courses/other?a="b"' });
    expect(page).toContain('<html lang="ar" dir="rtl">');
    expect(page).toContain('href="/ar/courses/other?a=&#34;b&#34;"');
    expect(page).toContain('<a href="/fr/courses/other" lang="fr"');
    expect(page).toContain('<a href="/ar/courses/golden"');
    expect(page).not.toContain('/?portal');
    expect(await on('ar').plain('portal', [], { at: '/', href: '/' })).toContain('href="/?portal"');
  });

  it('lets nothing in a course end the element of its data', async () => {
    const kept = { ...blobs };
    for (const digest of Object.keys(kept)) kept[digest] = (kept[digest] as string).replace(/"prompt":"/g, '"prompt":"</script><script>\u2028&');
    const page = await on('en', kept).course(root, false, 'practice');
    expect(page).toContain('\\u003c/script\\u003e\\u003cscript\\u003e\\u2028\\u0026');
    expect(page).not.toContain('</script><script>\u2028');
  });
});
