import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import words from 'virtual:words/app';
import { me } from '../../api/me';
import { Problem, Unreached } from '../../api/problem';
import { loadWords, t } from '../../i18n/words';
import { close, disk } from '../../offline/db';
import { changePIN, dropPIN, Wait, WrongPIN } from '../../offline/people/pin';
import { ThisDevice } from './this-device';

// What locks has tests of its own (offline/people); here is what the forms say of it.
vi.mock('../../offline/people/pin', async (original) => ({ ...(await original<object>()), changePIN: vi.fn(), dropPIN: vi.fn() }));

let root: HTMLElement;
const locked = { digits: true };
const amina = { user: 'amina', name: 'Amina', kind: 'shared', locale: 'en', locked };

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  close();
  await disk.put('people', amina as never);
  me.value = { id: 'amina', username: 'amina', display_name: 'Amina', locale: 'en', operator: false, memberships: [] };
  await Promise.all([loadWords('en'), loadWords('en', words)]);
  root = document.body.appendChild(document.createElement('main'));
  act(() => render(<ThisDevice />, root));
  await vi.waitFor(() => expect(forms()).toHaveLength(2));
});

afterEach(() => {
  render(null, root);
  root.remove();
  me.value = undefined;
  vi.resetAllMocks();
});

const forms = () => Array.from(root.querySelectorAll('form'));
const form = (n: number) => forms()[n] as HTMLFormElement;
const inputs = (n: number) => Array.from(form(n).querySelectorAll<HTMLInputElement>('input[type=password]'));
const button = (n: number) => form(n).querySelector<HTMLButtonElement>('button[type=submit]') as HTMLButtonElement;
const notices = () => Array.from(root.querySelectorAll('.notice'), (one) => one.textContent);

async function type(n: number, ...values: string[]): Promise<void> {
  await act(() =>
    inputs(n).forEach((input, i) => {
      input.value = values[i] ?? '';
      input.dispatchEvent(new Event('input', { bubbles: true }));
    }),
  );
}
/** What the form says afterwards is drawn in its own time. */
const soon = (look: () => void) => vi.waitFor(look);
const submit = (n: number) => act(async () => void form(n).dispatchEvent(new Event('submit', { bubbles: true, cancelable: true })));
const faults = (n: number) => inputs(n).map((input) => (input.getAttribute('aria-invalid') ? document.getElementById((input.getAttribute('aria-describedby') ?? '').split(' ').pop() ?? '')?.textContent : ''));

const changes = 0;
const drops = 1;
const fails = (how: typeof changePIN | typeof dropPIN, cause: unknown) => vi.mocked(how as () => Promise<void>).mockRejectedValueOnce(cause);

for (const [name, n, how] of [
  ['another PIN', changes, changePIN],
  ['no PIN any more', drops, dropPIN],
] as const) {
  describe(name, () => {
    it('says what went wrong where it belongs, and once', async () => {
      const before = notices();
      const none = inputs(n).map(() => '');
      await type(n, '1111', '2468', '2468');
      fails(how, new WrongPIN());
      await submit(n);
      await soon(() => expect(faults(n)).toEqual([t('ui.device.wrong_pin'), ...none.slice(1)]));
      expect(notices()).toEqual(before);

      await type(n, '1111', '2468', '2468');
      fails(how, new Wait(20));
      await submit(n);
      await soon(() => expect(form(n).querySelector('.notice[role=status]')?.textContent).toMatch(/20/));
      expect(faults(n)).toEqual(none);
      expect(root.querySelector('[role=alert]')).toBeNull();

      await type(n, '1111', '2468', '2468');
      fails(how, new Error('a disk that is full'));
      await submit(n);
      await soon(() => expect(form(n).querySelector('[role=alert]')).not.toBeNull());

      await type(n, '1111', '2468', '2468');
      fails(how, new Unreached());
      await submit(n);
      await soon(() => expect(form(n).querySelector('.notice.plain')?.textContent).toBe(t('ui.unreached')));
      expect(vi.mocked(how)).toHaveBeenCalledTimes(4);
      await soon(() => expect(button(n).getAttribute('aria-disabled')).toBe('false'));
    });

    it('does it once, however often it is asked meanwhile', async () => {
      let done = () => {};
      vi.mocked(how as () => Promise<void>).mockReturnValueOnce(new Promise((resolve) => (done = resolve)));
      await type(n, '1111', '2468', '2468');
      await submit(n);
      await soon(() => expect(button(n).getAttribute('aria-disabled')).toBe('true'));
      await submit(n);
      expect(vi.mocked(how)).toHaveBeenCalledTimes(1);
      await act(async () => done());
      await soon(() => expect(button(n).getAttribute('aria-disabled')).toBe('false'));
    });
  });
}

it('takes another PIN only when it was typed twice and is long enough, and says that it holds', async () => {
  for (const [pin, again, want] of [
    ['246', '246', 1],
    ['2468', '2469', 2],
  ] as const) {
    await type(changes, '1111', pin, again);
    await submit(changes);
    await soon(() => expect(faults(changes).map(Boolean)).toEqual([0, 1, 2].map((i) => i === want)));
  }
  expect(vi.mocked(changePIN)).not.toHaveBeenCalled();
  await type(changes, '1111', '2468', '2468');
  await submit(changes);
  await soon(() => expect(form(changes).querySelector('.notice.good')).not.toBeNull());
  expect(vi.mocked(changePIN).mock.calls).toEqual([['amina', { pin: '1111' }, '2468']]);
  expect(inputs(changes).map(({ value }) => value)).toEqual(['', '', '']);
  await soon(() => expect(button(changes).getAttribute('aria-disabled')).toBe('false'));
  // The next try takes the good word away.
  fails(changePIN, new WrongPIN());
  await type(changes, '1111', '1357', '1357');
  await submit(changes);
  await soon(() => expect(faults(changes).map(Boolean)).toEqual([true, false, false]));
  expect(form(changes).querySelector('.notice.good')).toBeNull();
});

it('takes the password where the PIN is forgotten, and says what the server says of it', async () => {
  await act(() => form(changes).querySelector<HTMLInputElement>('input[type=checkbox]')?.click());
  expect(inputs(changes)[0]?.autocomplete).toBe('current-password');
  fails(changePIN, new Problem({ detail: 'Not the password.', code: 'user.wrong_password' }, 422));
  await type(changes, 'a long password', '2468', '2468');
  await submit(changes);
  expect(vi.mocked(changePIN).mock.calls).toEqual([['amina', { password: 'a long password' }, '2468']]);
  await soon(() => expect(form(changes).querySelector('[role=alert]')?.textContent).toMatch(/Not the password/));
});

it('gives the PIN up, and leads to where the section says what is so now', async () => {
  expect(notices()).toEqual([]);
  expect(button(drops).classList.contains('danger')).toBe(true);
  expect(inputs(drops)[0]?.inputMode).toBe('numeric');
  vi.mocked(dropPIN).mockImplementationOnce(() => disk.put('people', { ...amina, locked: undefined } as never) as Promise<never>);
  await type(drops, '1111');
  await submit(drops);
  await soon(() => expect(forms()).toHaveLength(1));
  expect(vi.mocked(dropPIN).mock.calls).toEqual([['amina', '1111']]);
  expect(notices()).toHaveLength(1);
  await soon(() => expect(document.activeElement?.id).toBe('this-device'));
});
