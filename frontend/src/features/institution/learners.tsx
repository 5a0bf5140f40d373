import { api, ask, type Schemas } from '../../api/client';
import { formatDate, t } from '../../i18n/words';
import { Bar } from '../../ui/bar';
import { List, usePages } from '../../ui/pages';
import { Said } from '../../ui/said';
import { sentence } from '../../ui/sentence';

/** Who takes which course, and how far they are. */
export function Learners({ institution }: { institution: string }) {
  const pages = usePages<Schemas['Roster']>((cursor) =>
    ask(
      api.GET('/api/institutions/{institution_id}/enrollments', {
        params: { path: { institution_id: institution }, query: { cursor } },
      }),
    ),
  );
  return (
    <List of={pages} empty={<p>{t('ui.app.learners.none')}</p>}>
      {({ enrollment, display_name: name, username }) => (
        <li key={enrollment.id}>
          <span class="row-what">
            <strong>
              <bdi>{name}</bdi>
            </strong>
            <span class="small">
              <bdi>{username}</bdi>
            </span>
            <span class="small">
              {sentence(
                'ui.app.learners.takes',
                { Number: enrollment.number },
                { Course: <Said of={{ text: enrollment.title, langs: enrollment.title_lang, source: enrollment.source_locale }} /> },
              )}
            </span>
            <span class="small">{t('ui.app.learners.since', { Date: formatDate(enrollment.created_at) })}</span>
          </span>
          <span class="row-side">
            <Bar done={enrollment.done} total={enrollment.total} />
            {enrollment.completed && <span class="chip">{t('ui.app.courses.completed')}</span>}
          </span>
        </li>
      )}
    </List>
  );
}
