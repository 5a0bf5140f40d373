import 'fake-indexeddb/auto';
import { beforeEach, expect, test, vi } from 'vitest';
import { close, disk } from '../db';
import { go, isPaused, pause, resume, running } from './resume';

const install = vi.hoisted(() => vi.fn());
vi.mock('./download', () => ({ install }));

const begun = (course: string) => ({ course, publisher: 'did:web:x', rule: { locales: ['en'], tier: 'text' }, downloads: { number: 3, root: 'sha256:0', rule: { locales: ['ar'], tier: 'text' }, parts: [] } });

beforeEach(() => {
  close();
  indexedDB.deleteDatabase('banyan');
  install.mockReset();
});

test('goes on with what was begun and not paused, by the rule it was begun with', async () => {
  await disk.put('bundles', begun('one'));
  await disk.put('bundles', begun('two'));
  await disk.put('bundles', { ...begun('three'), downloads: undefined });
  await pause('two');
  await resume();
  expect(install.mock.calls.map(([, course, rule, { number }]) => [course, rule.locales, number])).toEqual([['one', ['ar'], 3]]);
  expect(running.size).toBe(0);
});

test('a course that stops does not hold up the next, and is tried again', async () => {
  await disk.put('bundles', begun('one'));
  await disk.put('bundles', begun('two'));
  install.mockRejectedValueOnce(new Error('away'));
  await resume();
  await resume();
  expect(install.mock.calls.map(([, course]) => course as string)).toEqual(['one', 'two', 'one', 'two']);
});

test('a pause lasts until somebody ends it', async () => {
  await disk.put('bundles', begun('one'));
  await pause('one');
  expect(await isPaused('one')).toBe(true);
  await go('one');
  expect(await isPaused('one')).toBe(false);
  await resume();
  expect(install).toHaveBeenCalledOnce();
});

test('nothing is fetched where the browser saves data', async () => {
  await disk.put('bundles', begun('one'));
  Object.defineProperty(navigator, 'connection', { value: { saveData: true }, configurable: true });
  await resume();
  expect(install).not.toHaveBeenCalled();
  Object.defineProperty(navigator, 'connection', { value: undefined, configurable: true });
});
