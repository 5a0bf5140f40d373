import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { t } from '../../i18n/words';
import { List, usePages } from '../../ui/pages';
import { said } from '../../ui/said';
import { Select } from '../../ui/select';
import { rolesIn } from './roles';
import { AwardRow } from './award-row';
import { Batches } from './batches';
import { useCourses } from './courses';

export type Award = Schemas['Award'];
type State = Schemas['AwardState'];
const states: readonly State[] = ['waiting', 'refused', 'ready', 'issued'];

/** What learners have earned, and what their certificates still wait for. */
export function Awards({ institution }: { institution: string }) {
  const state = useSignal<State>('waiting');
  const course = useSignal('');
  const counts = useSignal<Schemas['AwardList']['counts']>(undefined);
  const courses = useCourses();
  const pages = usePages<Award>(async (cursor) => {
    const query = { cursor, state: state.value, ...(course.value && { course_id: course.value }) };
    const page = await ask(api.GET('/api/institutions/{institution_id}/awards', { params: { path: { institution_id: institution }, query } }));
    counts.value = page.counts;
    return page;
  });
  const held = rolesIn(institution);
  const may = held.has('issuer') || held.has('admin');
  const changed = (award: Award) => {
    pages.items.value = pages.items.value?.map((one) => (one.id === award.id ? award : one));
  };
  const named = (one: State): [string, string] => {
    const count = counts.value?.[one];
    const name = t(`ui.app.awards.state.${one}`);
    return [one, count === undefined ? name : t('ui.app.awards.state_count', { State: name, Count: count })];
  };
  return (
    <>
      <div class="form filter">
        <Select
          label={t('ui.app.awards.show')}
          value={state.value}
          options={states.map(named)}
          onValue={(value) => {
            state.value = value as State;
            void pages.reload();
          }}
        />
        {courses.value && courses.value.length > 1 && (
          <Select
            label={t('ui.app.awards.course')}
            value={course.value}
            options={[
              ['', t('ui.app.awards.every_course')],
              ...courses.value.map(({ course_id: id, title: text, title_lang: langs, source_locale: source }): [string, string, string | undefined] => {
                const title = said({ text, langs, source });
                return [id, title.text, title.lang];
              }),
            ]}
            onValue={(value) => {
              course.value = value;
              void pages.reload();
            }}
          />
        )}
      </div>
      <List of={pages} empty={<p>{t(`ui.app.awards.none.${state.value}`)}</p>}>
        {(award) => <AwardRow key={award.id} institution={institution} award={award} may={may} onChanged={changed} />}
      </List>
      <Batches institution={institution} may={may} waiting={counts.value?.waiting ?? 0} course={course.value} onMoved={() => void pages.reload()} />
    </>
  );
}
