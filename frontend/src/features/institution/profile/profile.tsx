import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../../api/client';
import { putPicture } from '../../../api/uploads';
import { t } from '../../../i18n/words';
import { Field } from '../../../ui/field';
import { faultOf, Form } from '../../../ui/form';
import { Notice, Trouble } from '../../../ui/notice';
import { useTask } from '../../../ui/task';
import { Domain } from './domain';
import { PictureField } from './picture';
import { Signatories, type Draft } from './signatories';
import { TextsField, type Texts } from './texts';

type Institution = Schemas['Institution'];

/** What the institution says of itself: on certificates, in lists, and to those who check. */
export function Profile({ institution }: { institution: string }) {
  const load = useTask();
  const found = useSignal<Institution | undefined>(undefined);
  const path = { institution_id: institution };
  const read = () =>
    load.run(async () => {
      found.value = await ask(api.GET('/api/institutions/{institution_id}', { params: { path } }));
    });
  useEffect(() => void read(), [institution]);
  if (load.trouble.value) return <Trouble cause={load.trouble.value} retry={() => void read()} />;
  if (!found.value) return <p class="loading">{t('ui.loading')}</p>;
  return (
    <>
      <PictureField
        label={t('ui.app.profile.logo')}
        alt={t('ui.app.profile.logo_of', { Name: found.value.name })}
        picture={found.value.logo}
        onPut={async (file) => void (found.value = await putPicture({ institution }, file))}
        onRemove={async () => {
          await ask(api.DELETE('/api/institutions/{institution_id}/logo', { params: { path } }));
          await read();
        }}
      />
      <Words key={institution} now={found.value} onSaved={(saved) => (found.value = saved)} />
      <Domain key={`domain of ${institution}`} institution={institution} />
    </>
  );
}

function Words({ now, onSaved }: { now: Institution; onSaved: (saved: Institution) => void }) {
  const task = useTask();
  const name = useSignal(now.fallback_name ?? now.name);
  const names = useSignal<Texts>(now.names ?? {});
  const country = useSignal(now.country ?? '');
  const people = useSignal<Draft[]>(now.signatories ?? []);
  const saved = useSignal(false);
  const save = async () => {
    saved.value = false;
    const body = {
      name: name.value.trim(),
      names: names.value,
      country: country.value.trim().toUpperCase(),
      signatories: people.value.map((one) => ({ id: one.id, name: one.name, title: one.title ?? {} })),
    };
    onSaved(await ask(api.PATCH('/api/institutions/{institution_id}', { params: { path: { institution_id: now.id } }, body })));
    saved.value = true;
  };
  return (
    <Form task={task} submit={t('ui.app.profile.save')} onSubmit={save}>
      <Field
        label={t('ui.app.profile.name')}
        value={name.value}
        onValue={(value) => (name.value = value)}
        required
        maxLength={120}
        dir="auto"
        fault={faultOf(task, 'name')}
      />
      <TextsField
        legend={t('ui.app.profile.names')}
        value={names.value}
        onValue={(value) => (names.value = value)}
        fault={(tag) => faultOf(task, `names/${tag}`)}
      />
      <Field
        label={t('ui.app.profile.country')}
        hint={t('ui.app.profile.country_hint')}
        value={country.value}
        onValue={(value) => (country.value = value)}
        maxLength={2}
        autoCapitalize="characters"
        autoComplete="off"
        dir="ltr"
        fault={faultOf(task, 'country')}
      />
      <Signatories institution={now.id} kept={now.signatories ?? []} drafts={people} task={task} onChanged={onSaved} />
      {saved.value && <Notice kind="good">{t('ui.app.profile.saved')}</Notice>}
    </Form>
  );
}
