import { t } from '../../i18n/words';
import { Missing } from '../../offline/missing';
import { Notice, Trouble } from '../../ui/notice';

/** What went wrong; where a part of the app was never fetched, that, and what to do. */
export function NotFetched({ cause }: { cause: unknown }) {
  if (!(cause instanceof Missing)) return <Trouble cause={cause} />;
  return (
    <Notice>
      <p>{t('ui.app.not_fetched')}</p>
    </Notice>
  );
}
