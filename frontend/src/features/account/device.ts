import { t } from '../../i18n/words';
const browsers: [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\/|Opera/, 'Opera'],
  [/SamsungBrowser/, 'Samsung Internet'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const systems: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** A browser and its system as people know them, or the start of what it calls itself. */
export function deviceOf(agent: string): string {
  const find = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = find(browsers);
  const system = find(systems);
  if (browser && system) return t('ui.app.account.device', { Browser: browser, System: system });
  return browser ?? system ?? agent.slice(0, 40);
}

/** What this device calls itself to the server: plain words, without the marks that keep their direction on a page. */
export const deviceName = (): string => deviceOf(navigator.userAgent).replace(/[\u2066-\u2069]/g, '') || navigator.userAgent.slice(0, 40) || 'Banyan';
