import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, formatNumber, t } from '../../i18n/words';
import { ConfirmButton } from '../../ui/confirm-button';
import { Field } from '../../ui/field';
import { faultOf, Form } from '../../ui/form';
import { Trouble } from '../../ui/notice';
import { List, usePages } from '../../ui/pages';
import { said } from '../../ui/said';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import { rolesIn } from './roles';
import { useCourses } from './courses';

type Delegation = Schemas['Delegation'];

/** Who may issue how many certificates, and until when. */
export function Issuers({ institution }: { institution: string }) {
  const pages = usePages<Delegation>(() =>
    ask(api.GET('/api/institutions/{institution_id}/delegations', { params: { path: { institution_id: institution } } })),
  );
  const admin = rolesIn(institution).has('admin');
  return (
    <>
      <p>{t('ui.app.issuers.about')}</p>
      <List of={pages} empty={<p>{t('ui.app.issuers.none')}</p>}>
        {(delegation) => (
          <Row key={delegation.id} institution={institution} delegation={delegation} admin={admin} onEnded={() => void pages.reload()} />
        )}
      </List>
      {admin && <NewDelegation institution={institution} onCreated={() => void pages.reload()} />}
    </>
  );
}

interface RowProps {
  institution: string;
  delegation: Delegation;
  admin: boolean;
  onEnded: () => void;
}

function Row({ institution, delegation, admin, onEnded }: RowProps) {
  const task = useTask();
  const { display_name: name, username, used, quota, expires_at: expires, ended_at: ended, courses } = delegation;
  const end = () =>
    task.run(async () => {
      const path = { institution_id: institution, delegation_id: delegation.id };
      await ask(api.DELETE('/api/institutions/{institution_id}/delegations/{delegation_id}', { params: { path } }));
      onEnded();
    });
  return (
    <li>
      <span class="row-what">
        <strong>
          <bdi>{name}</bdi>
        </strong>
        <span class="small">
          <bdi translate={false}>{username}</bdi>
        </span>
        <span class="small">
          {quota === undefined
            ? t('ui.app.issuers.used', { Used: formatNumber(used) })
            : t('ui.app.issuers.used_of', { Used: formatNumber(used), Quota: formatNumber(quota) })}
        </span>
        {courses.length > 0 && <span class="small">{t('ui.app.issuers.courses', { Count: courses.length })}</span>}
        {expires && !ended && <span class="small">{t('ui.app.issuers.until', { Date: formatDate(expires) })}</span>}
        {ended && <span class="small">{t('ui.app.issuers.ended', { Date: formatDate(ended) })}</span>}
      </span>
      {admin && !ended && (
        <ConfirmButton ask={t('ui.app.issuers.end')} sure={t('ui.app.issuers.end_sure')} about={name} danger onConfirm={() => void end()} />
      )}
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
    </li>
  );
}

function NewDelegation({ institution, onCreated }: { institution: string; onCreated: () => void }) {
  const task = useTask();
  const issuers = useSignal<readonly Schemas['Member'][] | undefined>(undefined);
  const courses = useCourses();
  const user = useSignal('');
  const course = useSignal('');
  const quota = useSignal('');
  const until = useSignal('');
  useEffect(() => {
    void task.run(async () => {
      const params = { path: { institution_id: institution }, query: { limit: 200 } };
      const { items } = await ask(api.GET('/api/institutions/{institution_id}/members', { params }));
      issuers.value = items.filter(({ roles }) => roles.indexOf('issuer') >= 0);
      user.value = issuers.value[0]?.user_id ?? '';
    });
  }, []);
  const create = async () => {
    const body = {
      user_id: user.value,
      ...(course.value && { courses: [course.value] }),
      ...(quota.value && { quota: Number(quota.value) }),
      // To the end of that day, where the admin is.
      ...(until.value && { expires_at: new Date(`${until.value}T23:59:59`).toISOString() }),
    };
    await ask(api.POST('/api/institutions/{institution_id}/delegations', { params: { path: { institution_id: institution } }, body }));
    quota.value = '';
    onCreated();
  };
  return (
    <section aria-labelledby="new-delegation">
      <h3 id="new-delegation">{t('ui.app.issuers.new')}</h3>
      {issuers.value?.length === 0 && <div class="empty">{t('ui.app.issuers.no_issuers')}</div>}
      {issuers.value && issuers.value.length > 0 && (
        <Form task={task} submit={t('ui.app.issuers.create')} onSubmit={create}>
          <Select
            label={t('ui.app.issuers.who')}
            value={user.value}
            options={issuers.value.map((one) => [one.user_id, one.display_name] as const)}
            onValue={(id) => (user.value = id)}
          />
          <Select
            label={t('ui.app.awards.course')}
            value={course.value}
            options={[
              ['', t('ui.app.awards.every_course')],
              ...(courses.value ?? []).map(({ course_id: id, title: text, title_lang: langs, source_locale: source }): [string, string, string | undefined] => {
                const title = said({ text, langs, source });
                return [id, title.text, title.lang];
              }),
            ]}
            onValue={(id) => (course.value = id)}
          />
          <Field
            label={t('ui.app.issuers.quota')}
            hint={t('ui.app.issuers.quota_hint')}
            type="number"
            inputMode="numeric"
            min={1}
            max={1000000}
            value={quota.value}
            onValue={(value) => (quota.value = value)}
            fault={faultOf(task, 'quota')}
          />
          <Field
            label={t('ui.app.issuers.expires')}
            hint={t('ui.app.issuers.expires_hint')}
            type="date"
            value={until.value}
            onValue={(value) => (until.value = value)}
            fault={faultOf(task, 'expires_at')}
          />
        </Form>
      )}
      {task.trouble.value && !issuers.value ? <Trouble cause={task.trouble.value} /> : null}
    </section>
  );
}
