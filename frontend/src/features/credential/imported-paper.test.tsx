import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import app from 'virtual:words/app';
import type { Schemas } from '../../api/client';
import { loadWords, t } from '../../i18n/words';
import { check, type Report } from '../../offline/credential/check';
import ImportedPaper from './imported-paper';

vi.mock('../../offline/credential/trust', () => ({ knownIssuers: () => Promise.resolve(undefined) }));
vi.mock('../../offline/credential/check', () => ({ check: vi.fn() }));

type Imported = Schemas['ImportedCredential'];
const address = 'https://river.example/verify/1';
const claims: Schemas['CredentialClaims'] = {
  id: address,
  name: 'آمنة',
  achievement: 'Weaving',
  description: 'Weaves <b>mats</b>.',
  language: 'en',
  issuer: 'did:web:river.example',
  issuer_name: 'River College',
  valid_from: '2026-01-02T12:00:00Z',
  results: [
    { type: 'Percent', value: '87' },
    { type: 'ext:AssessmentLevel', value: 'on_site' },
    { type: 'ext:AIAssistance', value: 'a lot' },
    { name: 'Knots', value: '12' },
  ],
};
const imported = (standing: Imported['standing'], over: Partial<typeof claims> = {}): Imported =>
  ({
    ...{ id: '1', standing, document: 'the document', format: 'json', claims: { ...claims, ...over }, created_at: '2026-02-01T12:00:00Z' },
    report: { state: standing, title: standing, reasons: standing === 'valid' ? [] : [{ code: 'x', detail: 'What the server said.' }], notes: [], checked_at: '2026-02-03T12:00:00Z' },
  }) as unknown as Imported;
const finds = (state: Report['state'], ...reasons: Report['reasons']) => vi.mocked(check).mockResolvedValue({ state, reasons, notes: [], restsOn: [], recognitions: [] });

let root: HTMLElement;
let printed: number;

beforeEach(async () => {
  printed = 0;
  vi.stubGlobal('print', () => printed++);
  await loadWords('en');
  await loadWords('en', app);
  root = document.body.appendChild(document.createElement('main'));
});
afterEach(() => {
  dispatchEvent(new Event('keydown'));
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

/** The sheet that goes to the printer, undefined where none does. */
async function paper(one: Imported, named = true): Promise<HTMLElement | undefined> {
  await act(() => render(<ImportedPaper one={one} />, root));
  await vi.waitFor(() => expect(root.querySelector('button')).not.toBeNull());
  const box = root.querySelector<HTMLInputElement>('input[type=checkbox]');
  if (!named) await act(() => box?.click());
  const before = printed;
  await act(() => root.querySelector<HTMLButtonElement>('button')?.click());
  await vi.waitFor(() => expect(printed > before || root.querySelector('[role=alert]')).toBeTruthy());
  return printed > before ? (document.querySelector<HTMLElement>('.paper') ?? undefined) : undefined;
}

const facts = (sheet: HTMLElement | undefined) => Array.from(sheet?.querySelectorAll('dl > div') ?? [], (line) => Array.from(line.children, ({ textContent }) => textContent));

it('says what the certificate says, and when that was checked', async () => {
  finds('unknown', { why: 'issuer_unknown' });
  const title = document.title;
  const sheet = await paper(imported('valid', { valid_until: '2999-01-01T12:00:00Z' }));
  expect(document.title).toContain('Weaving, ');
  expect(sheet?.querySelector('.paper-by')?.textContent).toBe('River College');
  expect(sheet?.querySelector('.paper-name')?.textContent).toBe('آمنة');
  expect(sheet?.querySelector('.paper-what')?.textContent).toBe('Weaving');
  expect(sheet?.querySelector('.paper-about')?.textContent).toBe('Weaves <b>mats</b>.');
  expect(sheet?.querySelector('.paper-standing')).toBeNull();
  expect(facts(sheet)).toEqual([
    [t('ui.paper.issued'), 'January 2, 2026'],
    [t('ui.paper.expires'), expect.stringContaining('2999')],
    [t('ui.paper.score'), '87%'],
    [t('ui.paper.assessment'), t('ui.paper.assessment.on_site')],
    ['ext:AIAssistance', 'a lot'],
    ['Knots', '12'],
    ['Valid', 'Checked February 3, 2026'],
  ]);
  expect(sheet?.querySelector('.paper-address')?.textContent).toBe(address);
  expect(sheet?.querySelector('svg')?.getAttribute('aria-label')).toBe(t('ui.app.code.picture', { Name: 'Weaving' }));
  act(() => void dispatchEvent(new Event('keydown')));
  expect([document.title, document.querySelector('.paper')]).toEqual([title, null]);
});

it('tells neither the name nor where it is to be read, where that is wished', async () => {
  finds('valid');
  const sheet = await paper(imported('valid'), false);
  expect(sheet?.textContent).toContain('Weaving');
  for (const one of ['آمنة', 'river.example/verify']) expect(`${document.title} ${sheet?.innerHTML}`).not.toContain(one);
  expect(sheet?.querySelector('svg')).toBeNull();
});

it('has a code only of an address of the web', async () => {
  finds('valid');
  for (const id of [undefined, 'urn:uuid:1', 'javascript:alert(1)', 'https://x.example/a b', `https://x.example/${'a'.repeat(300)}`]) {
    const sheet = await paper(imported('valid', { id } as object));
    expect(sheet?.querySelector('.paper-what')).not.toBeNull();
    expect(sheet?.querySelector('svg, .paper-address')).toBeNull();
  }
});

it('says what does not count, by the worse of what the server and the device found', async () => {
  const lines = (sheet: HTMLElement | undefined) => Array.from(sheet?.querySelectorAll('.paper-standing p') ?? [], ({ textContent }) => textContent);
  for (const [server, device, want, why] of [
    ['revoked', 'valid', 'revoked', 'What the server said.'],
    ['valid', 'revoked', 'revoked', t('ui.credential.why.revoked')],
    ['suspended', 'unknown', 'suspended', 'What the server said.'],
    ['unknown', 'unknown', 'unknown', 'What the server said.'],
  ] as const) {
    finds(device, ...(device === 'revoked' ? [{ why: 'revoked' }] : []));
    const sheet = await paper(imported(server));
    expect(lines(sheet)).toEqual([t(`ui.credential.state.${want}_text`), why]);
    expect(facts(sheet).pop()?.[0]).toBe(t(`ui.credential.state.${want}`));
  }
  finds('unknown');
  expect(lines(await paper(imported('valid', { valid_until: '2026-03-01T12:00:00Z' })))).toEqual([t('ui.paper.expired', { Date: 'March 1, 2026' })]);
  // The device's word is of today, and where it cannot tell, the server's is of when it was given.
  const then = t('ui.app.wallet.checked', { Date: 'February 3, 2026' });
  for (const state of ['valid', 'unknown', 'revoked'] as const) {
    finds(state);
    expect(facts(await paper(imported(state))).pop()?.[1] === then).toBe(state === 'unknown');
  }
  finds('valid');
  // A server that could not tell takes nothing from what the device knows now.
  expect(lines(await paper(imported('unknown')))).toEqual([]);
});

it('is not printed when it is not what was signed', async () => {
  for (const [server, device] of [
    ['valid', 'invalid'],
    ['invalid', 'unknown'],
  ] as const) {
    finds(device);
    expect(await paper(imported(server))).toBeUndefined();
    expect(root.textContent).toContain(t('ui.paper.invalid'));
    render(null, root);
  }
});

it('keeps to one sheet, whatever its issuer wrote', async () => {
  finds('valid');
  const sheet = await paper(imported('valid', { description: '😀'.repeat(1000), results: Array.from({ length: 50 }, (_, i) => ({ name: `n${i}`, value: 'v' })) }));
  expect(Array.from(sheet?.querySelector('.paper-about')?.textContent ?? '')).toHaveLength(401);
  expect(facts(sheet)).toHaveLength(10);
});
