import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, formatList, t } from '../../i18n/words';
import { ConfirmButton } from '../../ui/confirm-button';
import { Notice, Trouble } from '../../ui/notice';
import { List, usePages } from '../../ui/pages';
import { useTask } from '../../ui/task';
import { NewToken } from './new-token';

export function Tokens() {
  const pages = usePages<Schemas['Token']>(() => ask(api.GET('/api/tokens')));
  const secret = useSignal('');
  const task = useTask();
  const end = (id: string) =>
    task.run(async () => {
      await ask(api.DELETE('/api/tokens/{token_id}', { params: { path: { token_id: id } } }));
      await pages.reload();
    });
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">{t('ui.app.tokens.title')}</h2>
      <p>{t('ui.app.tokens.about')}</p>
      <List of={pages} empty={<p>{t('ui.app.tokens.none')}</p>}>
        {(token) => (
          <li key={token.id}>
            <span class="row-what">
              <strong>
                <bdi>{token.name}</bdi>
              </strong>
              <span class="small">{formatList(token.scopes.map((scope) => t(`ui.app.scope.${scope}`)))}</span>
              <span class="small">{t('ui.app.tokens.expires', { Date: formatDate(token.expires_at) })}</span>
            </span>
            <ConfirmButton
              ask={t('ui.app.tokens.end')}
              sure={t('ui.app.sure')}
              about={token.name}
              onConfirm={() => void end(token.id)}
            />
          </li>
        )}
      </List>
      {task.trouble.value ? <Trouble cause={task.trouble.value} /> : null}
      {secret.value && (
        <Notice kind="good">
          <p>{t('ui.app.tokens.secret')}</p>
          <code class="secret">{secret.value}</code>
        </Notice>
      )}
      <NewToken
        onCreated={(text) => {
          secret.value = text;
          void pages.reload();
        }}
      />
    </section>
  );
}
