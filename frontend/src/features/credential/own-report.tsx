// What one's own certificate is worth, found out on this device: what View shows while the server is away.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import words from 'virtual:words/verify';
import { loadWords, locale, t } from '../../i18n/words';
import { check, type Report } from '../../offline/credential/check';
import { part } from '../../offline/missing';
import { NotFetched } from './not-fetched';
import { VerifyReport } from './verify-report';
import './verify.css';

export default function OwnReport({ document: text }: { document: string }) {
  const found = useSignal<{ report: Report; at: number } | undefined>(undefined);
  const trouble = useSignal<unknown>(undefined);
  useEffect(() => {
    const look = async () => {
      const at = Date.now();
      const [report] = await Promise.all([check(text, at), part(loadWords(locale(), words))]);
      // Its page is where the server is: away.
      if (report.shown) report.shown.address = '';
      found.value = { report, at };
    };
    look().catch((cause: unknown) => (trouble.value = cause));
  }, [text]);
  if (trouble.value) return <NotFetched cause={trouble.value} />;
  if (!found.value) return <p class="loading">{t('ui.loading')}</p>;
  return <VerifyReport report={found.value.report} now={found.value.at} />;
}
