import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { List, usePages } from '../../ui/pages';
import { Said } from '../../ui/said';
import { sentence } from '../../ui/sentence';
import { NewRegrade } from './new-regrade';
import { RegradeView } from './regrade-view';

export type Regrade = Schemas['Regrade'];

/** What the form is to begin with. */
export interface Wish {
  course?: string;
  lab?: string;
}

interface Props {
  institution: string;
  wish: Wish;
  onApplied: () => void;
}

/** Labs of newer versions that are tried on what was handed in. */
export function Regrades({ institution, wish, onApplied }: Props) {
  const open = useSignal('');
  const pages = usePages<Regrade>((cursor) =>
    ask(
      api.GET('/api/institutions/{institution_id}/regrades', {
        params: { path: { institution_id: institution }, query: { cursor, limit: 20 } },
      }),
    ),
  );
  const changed = (regrade: Regrade) => {
    pages.items.value = pages.items.value?.map((one) => (one.id === regrade.id ? regrade : one));
    if (regrade.state === 'applied') onApplied();
  };
  return (
    <>
      <section aria-labelledby="regrades">
        <h3 id="regrades">{t('ui.app.regrade.title')}</h3>
        <List of={pages} empty={<p>{t('ui.app.regrade.none')}</p>}>
          {(regrade) => (
            <li key={regrade.id}>
              <span class="row-what">
                <strong>
                  <Title of={regrade} />
                </strong>
                <span class="small">
                  <Versions of={regrade} />
                </span>
                <span class="small">{formatDate(regrade.created_at, true)}</span>
                <span>
                  <span class={`chip ${regrade.state}`}>{t(`ui.app.regrade.state.${regrade.state}`)}</span>
                </span>
              </span>
              <button
                type="button"
                class="button quiet"
                aria-expanded={open.value === regrade.id}
                onClick={() => (open.value = open.value === regrade.id ? '' : regrade.id)}
              >
                {t(open.value === regrade.id ? 'ui.app.regrade.hide' : 'ui.app.regrade.show')}
                <span class="unseen">
                  {' '}
                  <Title of={regrade} />
                </span>
              </button>
              {open.value === regrade.id && <RegradeView institution={institution} first={regrade} onChanged={changed} />}
            </li>
          )}
        </List>
      </section>
      <NewRegrade
        key={`${wish.course}/${wish.lab}`}
        institution={institution}
        wish={wish}
        onStarted={(regrade) => {
          open.value = regrade.id;
          void pages.reload();
        }}
      />
    </>
  );
}

function Title({ of: { title, title_lang: langs, source_locale: source } }: { of: Regrade }) {
  return <Said of={{ text: title, langs, source }} />;
}

function Versions({ of: { course_title: text, course_title_lang: langs, source_locale: source, from, to } }: { of: Regrade }) {
  const course = { Course: <Said of={{ text, langs, source }} /> };
  return <>{from ? sentence('ui.app.regrade.from_to', { From: from, To: to }, course) : sentence('ui.app.regrade.all_to', { To: to }, course)}</>;
}
