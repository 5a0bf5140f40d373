import { BundleError } from '../../offline/bundle/fault';
import { t } from '../../i18n/words';
import { Notice, Trouble } from '../../ui/notice';

/** What stopped a download or an import, and what to do next. */
export function Stopped({ cause, retry }: { cause: unknown; retry?: (() => void) | undefined }) {
  if (!(cause instanceof BundleError)) return <Trouble cause={cause} {...(retry && { retry })} />;
  const calm = cause.key === 'bundle.no_network' || cause.key === 'bundle.captive_portal';
  return (
    <Notice kind={calm ? 'plain' : 'bad'}>
      <p>{t(`ui.${cause.key}`, cause.args)}</p>
      {retry && (
        <p>
          <button type="button" class="button quiet" onClick={retry}>
            {t('ui.retry')}
          </button>
        </p>
      )}
    </Notice>
  );
}
