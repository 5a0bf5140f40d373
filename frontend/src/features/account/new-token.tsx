import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { t } from '../../i18n/words';
import { faultOf, Form } from '../../ui/form';
import { Field } from '../../ui/field';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';

type Scope = Schemas['Scope'];
const scopes: Scope[] = ['read', 'learn', 'publish', 'issue', 'admin'];
const days = [7, 30, 90, 366];

export function NewToken({ onCreated }: { onCreated: (secret: string) => void }) {
  const task = useTask();
  const name = useSignal('');
  const chosen = useSignal<readonly Scope[]>(['read']);
  const lasts = useSignal('30');
  const create = async () => {
    const body = { name: name.value.trim(), scopes: [...chosen.value], expires_in_days: Number(lasts.value) };
    const { secret } = await ask(api.POST('/api/tokens', { body }));
    name.value = '';
    onCreated(secret);
  };
  return (
    <details class="new">
      <summary>{t('ui.app.tokens.new')}</summary>
      <Form task={task} submit={t('ui.app.tokens.make')} onSubmit={create}>
        <Field
          label={t('ui.app.tokens.name')}
          value={name.value}
          onValue={(value) => (name.value = value)}
          required
          maxLength={80}
          dir="auto"
          fault={faultOf(task, 'name')}
        />
        <fieldset class="boxes">
          <legend>{t('ui.app.tokens.scopes')}</legend>
          {scopes.map((scope) => (
            <label key={scope}>
              <input
                type="checkbox"
                checked={chosen.value.includes(scope)}
                onChange={() => (chosen.value = scopes.filter((one) => chosen.value.includes(one) !== (one === scope)))}
              />
              <span>{t(`ui.app.scope.${scope}`)}</span>
            </label>
          ))}
        </fieldset>
        <Select
          label={t('ui.app.tokens.lasts')}
          value={lasts.value}
          options={days.map((count) => [String(count), t('ui.app.days', { Count: count })] as const)}
          onValue={(value) => (lasts.value = value)}
        />
      </Form>
    </details>
  );
}
