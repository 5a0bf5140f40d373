import { formatNumber, t } from '../../i18n/words';

/** Bytes as people pay for them: whole kB, from a million on MB and from a thousand million on GB with one digit after the point. Never less than it costs. */
export function size(bytes: number): string {
  if (bytes < 999_500) return t('ui.offline.kilobytes', { Size: Math.ceil(bytes / 1000) });
  if (bytes >= 999_950_000) return formatNumber(Math.ceil(bytes / 100_000_000) / 10, { style: 'unit', unit: 'gigabyte', maximumFractionDigits: 1 });
  return t('ui.offline.megabytes', { Size: formatNumber(Math.ceil(bytes / 100_000) / 10, { maximumFractionDigits: 1 }) });
}
