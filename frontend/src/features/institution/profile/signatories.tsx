import type { Signal } from '@preact/signals';
import { api, ask, type Schemas } from '../../../api/client';
import { putPicture } from '../../../api/uploads';
import { t } from '../../../i18n/words';
import { uuidv7 } from '../../../offline/uuidv7';
import { Field } from '../../../ui/field';
import { faultOf } from '../../../ui/form';
import type { Task } from '../../../ui/task';
import { PictureField } from './picture';
import { TextsField } from './texts';

export type Draft = Omit<Schemas['Signatory'], 'signature'>;

const most = 4;

interface Props {
  institution: string;
  /** As the server knows them: only these can have a picture. */
  kept: readonly Schemas['Signatory'][];
  drafts: Signal<Draft[]>;
  task: Task;
  onChanged: (institution: Schemas['Institution']) => void;
}

/** Who stands on certificates, in order. */
export function Signatories({ institution, kept, drafts, task, onChanged }: Props) {
  const set = (at: number, change: Partial<Draft>) =>
    (drafts.value = drafts.value.map((one, i) => (i === at ? { ...one, ...change } : one)));
  return (
    <fieldset class="people">
      <legend>{t('ui.app.profile.signatories')}</legend>
      {drafts.value.map((one, at) => (
        <div class="panel" key={one.id}>
          <Field
            label={t('ui.app.profile.signatory_name')}
            value={one.name}
            onValue={(name) => set(at, { name })}
            required
            maxLength={120}
            dir="auto"
            fault={faultOf(task, `signatories/${at}/name`)}
          />
          <details>
            <summary>{t('ui.app.profile.signatory_title')}</summary>
            <TextsField
              legend={t('ui.app.profile.signatory_title')}
              value={one.title ?? {}}
              onValue={(title) => set(at, { title })}
              fault={(tag) => faultOf(task, `signatories/${at}/title/${tag}`)}
            />
          </details>
          <Signature institution={institution} signatory={kept.find(({ id }) => id === one.id)} onChanged={onChanged} />
          <p>
            <button type="button" class="button quiet danger" onClick={() => (drafts.value = drafts.value.filter(({ id }) => id !== one.id))}>
              {t('ui.app.profile.remove')}
              <span class="unseen"> {one.name}</span>
            </button>
          </p>
        </div>
      ))}
      {drafts.value.length < most && (
        <p>
          <button type="button" class="button quiet" onClick={() => (drafts.value = [...drafts.value, { id: uuidv7(), name: '' }])}>
            {t('ui.app.profile.add')}
          </button>
        </p>
      )}
    </fieldset>
  );
}

interface SignatureProps {
  institution: string;
  signatory: Schemas['Signatory'] | undefined;
  onChanged: Props['onChanged'];
}

function Signature({ institution, signatory, onChanged }: SignatureProps) {
  if (!signatory) return <p class="small">{t('ui.app.profile.signature_later')}</p>;
  const { id, name, signature } = signatory;
  const remove = async () => {
    const path = { institution_id: institution, signatory_id: id };
    await ask(api.DELETE('/api/institutions/{institution_id}/signatories/{signatory_id}/signature', { params: { path } }));
    onChanged(await ask(api.GET('/api/institutions/{institution_id}', { params: { path: { institution_id: institution } } })));
  };
  return (
    <PictureField
      label={t('ui.app.profile.signature')}
      alt={t('ui.app.profile.signature_of', { Name: name })}
      picture={signature}
      onPut={async (file) => onChanged(await putPicture({ institution, signatory: id }, file))}
      onRemove={remove}
    />
  );
}
