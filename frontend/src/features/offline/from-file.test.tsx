import 'fake-indexeddb/auto';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import words from 'virtual:words/offline';
import { BundleError } from '../../offline/bundle/fault';
import { loadWords } from '../../i18n/words';
import { FromFile } from './from-file';

const shelf = vi.hoisted(() => ({ importFile: vi.fn(), trustPublishers: vi.fn() }));
vi.mock('../../offline/bundle/shelf', () => shelf);

const version = { number: 3, rule: { locales: ['en'], tier: 'text' } };
let main: HTMLElement;

beforeEach(async () => {
  await loadWords('en', words);
  main = document.body.appendChild(document.createElement('main'));
  await act(() => render(<FromFile />, main));
});

afterEach(() => {
  render(null, main);
  main.remove();
  vi.resetAllMocks();
});

async function choose(): Promise<void> {
  const input = main.querySelector('input') as HTMLInputElement;
  Object.defineProperty(input, 'files', { value: [new File(['x'], 'leaves.banyan')], configurable: true });
  await act(async () => void input.dispatchEvent(new Event('change', { bubbles: true })));
  await vi.waitFor(() => expect(main.querySelector('.notice')).not.toBeNull());
}

test('names the languages of which a file has only a part', async () => {
  shelf.importFile.mockResolvedValue({ course: 'leaves', version, left: ['ar', 'zh'] });
  await choose();
  const [done, left] = Array.from(main.querySelectorAll('.notice p'), (p) => p.textContent);
  expect(done).toContain('version 3');
  expect(left).toContain('العربية and 中文');
});

test('says nothing of languages where the file is whole', async () => {
  shelf.importFile.mockResolvedValue({ course: 'leaves', version, left: [] });
  await choose();
  expect(main.querySelectorAll('.notice p')).toHaveLength(1);
});

test('says why a file was not taken', async () => {
  shelf.importFile.mockRejectedValue(new BundleError('unknown_publisher'));
  await choose();
  expect(main.textContent).not.toContain('version 3');
  expect(main.querySelector('.notice.bad')).not.toBeNull();
});
