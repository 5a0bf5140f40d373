import { afterEach, expect, it, vi } from 'vitest';
import { learn } from '../../i18n/words';
import { deviceName } from './device';

afterEach(() => vi.unstubAllGlobals());

it('names a device in plain characters, also where the page runs the other way', () => {
  learn({ 'app.account.device': '{{.Browser}} على {{.System}}' }, 'ar');
  vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0 (Linux; Android 9; TECNO) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0 Mobile Safari/537.36' });
  // The server takes no marks of direction in a name.
  expect(deviceName()).toBe('Chrome على Android');
  vi.stubGlobal('navigator', { userAgent: '' });
  expect(deviceName()).not.toBe('');
});
