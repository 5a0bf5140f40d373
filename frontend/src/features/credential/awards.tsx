import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, ask, type Schemas } from '../../api/client';
import { t } from '../../i18n/words';
import { Form } from '../../ui/form';
import { Notice } from '../../ui/notice';
import { Said } from '../../ui/said';
import { useTask } from '../../ui/task';

type Award = Schemas['Award'];
type Help = Schemas['AwardDeclaration']['ai_help'];
const helps: readonly Help[] = ['none', 'some', 'much'];

/**
 * What the learner has earned and does not hold yet: what each certificate waits for, and a place to say how much an AI helped.
 * Nothing when there is nothing, or the server is not reached: the certificates below are what counts.
 */
export function AwardsToCome({ course }: { course?: string }) {
  const awards = useSignal<readonly Award[]>([]);
  useEffect(() => {
    ask(api.GET('/api/awards', { params: { query: { limit: 200 } } }))
      .then(({ items }) => {
        awards.value = items.filter((one) => one.state !== 'issued' && (!course || one.course_id === course));
      })
      .catch(() => undefined);
  }, []);
  if (awards.value.length === 0) return null;
  return (
    <section aria-labelledby="awards-to-come">
      <h2 id="awards-to-come">{t('ui.app.awards.mine')}</h2>
      <ul class="rows">
        {awards.value.map((award) => (
          <Row
            key={award.id}
            award={award}
            onDeclared={(declared) => (awards.value = awards.value.map((one) => (one.id === declared.id ? declared : one)))}
          />
        ))}
      </ul>
    </section>
  );
}

function Row({ award, onDeclared }: { award: Award; onDeclared: (award: Award) => void }) {
  const { state, wants } = award;
  const others = wants.filter((want) => want !== 'declaration');
  return (
    <li>
      <span class="row-what">
        <strong>
          <Said of={{ text: award.title, langs: award.title_lang, source: award.source_locale }} />
        </strong>
        <span>
          <span class={`chip ${state}`}>{t(`ui.app.awards.state.${state}`)}</span>
        </span>
        {state === 'ready' && <span class="small">{t('ui.app.awards.soon')}</span>}
        {state === 'refused' && <span class="small">{t('ui.app.awards.refused_because', { Reason: award.refused_reason ?? '' })}</span>}
        {others.length > 0 && (
          <span class="small">
            {t('ui.app.awards.waits')}
            <ul class="wants">
              {others.map((want) => (
                <li key={want}>{t(`ui.app.awards.want.${want}`)}</li>
              ))}
            </ul>
          </span>
        )}
      </span>
      {state === 'waiting' && <Declare award={award} onDeclared={onDeclared} />}
    </li>
  );
}

function Declare({ award, onDeclared }: { award: Award; onDeclared: (award: Award) => void }) {
  const task = useTask();
  const saved = useSignal(false);
  const help = useSignal<Help | ''>(award.ai_help === 'undeclared' ? '' : award.ai_help);
  const declare = async () => {
    if (!help.value) return;
    const params = { path: { award_id: award.id } };
    onDeclared(await ask(api.PUT('/api/awards/{award_id}/declaration', { params, body: { ai_help: help.value } })));
    saved.value = true;
  };
  return (
    <Form task={task} submit={t('ui.app.awards.declare')} onSubmit={declare}>
      <fieldset class="boxes">
        <legend>{t('ui.app.awards.how_much_help')}</legend>
        <small>{t(award.asks_help ? 'ui.app.awards.help_asked' : 'ui.app.awards.help_free')}</small>
        {helps.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name={`help-${award.id}`}
              required
              checked={help.value === one}
              onChange={() => {
                help.value = one;
                saved.value = false;
              }}
            />
            <span>{t(`ui.app.ai_help.${one}`)}</span>
          </label>
        ))}
      </fieldset>
      {saved.value && (
        <Notice kind="good">
          <p>{t('ui.app.awards.declared')}</p>
        </Notice>
      )}
    </Form>
  );
}
