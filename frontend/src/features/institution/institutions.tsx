import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { t } from '../../i18n/words';
import { faultOf, Form } from '../../ui/form';
import { Field } from '../../ui/field';
import { List, usePages } from '../../ui/pages';
import { useTask } from '../../ui/task';

/** For the operator: the institutions of this server. */
export default function Institutions() {
  const pages = usePages<Schemas['Institution']>((cursor) => ask(api.GET('/api/institutions', { params: { query: { cursor } } })));
  return (
    <>
      <List of={pages} empty={<p>{t('ui.app.institutions.none')}</p>}>
        {(institution) => (
          <li key={institution.id}>
            <span class="row-what">
              <strong>
                <bdi>{institution.name}</bdi>
              </strong>
              <span class="small">
                <code dir="ltr">{institution.slug}</code>
              </span>
            </span>
            <a class="button quiet" href={`/app/institutions/${institution.id}`}>
              {t('ui.app.institutions.open')}
              <span class="unseen"> {institution.name}</span>
            </a>
          </li>
        )}
      </List>
      <NewInstitution onCreated={() => void pages.reload()} />
    </>
  );
}

function NewInstitution({ onCreated }: { onCreated: () => void }) {
  const task = useTask();
  const name = useSignal('');
  const slug = useSignal('');
  const create = async () => {
    await ask(api.POST('/api/institutions', { body: { name: name.value.trim(), slug: slug.value.trim() } }));
    name.value = slug.value = '';
    onCreated();
  };
  return (
    <section aria-labelledby="new-institution">
      <h2 id="new-institution">{t('ui.app.institutions.new')}</h2>
      <Form task={task} submit={t('ui.app.institutions.add')} onSubmit={create}>
        <Field
          label={t('ui.app.institutions.name')}
          value={name.value}
          onValue={(value) => (name.value = value)}
          required
          maxLength={120}
          dir="auto"
          fault={faultOf(task, 'name')}
        />
        <Field
          label={t('ui.app.institutions.slug')}
          hint={t('ui.app.institutions.slug_hint')}
          value={slug.value}
          onValue={(value) => (slug.value = value)}
          required
          maxLength={63}
          pattern="[a-z][a-z0-9\-]{1,62}"
          autoCapitalize="none"
          dir="ltr"
          fault={faultOf(task, 'slug')}
        />
      </Form>
    </section>
  );
}
