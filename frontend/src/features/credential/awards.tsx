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

/** How long to wait before asking again for what is being signed, in milliseconds; then it is for the next visit. */
const waits = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/**
 * What the learner has earned and does not hold yet: what each certificate waits for, and a place to say how much an AI helped.
 * Nothing when there is nothing, or the server is not reached: the certificates below are what counts. What is being signed
 * is asked for again, a few times only; `onIssued` is called when one of them has become a certificate.
 */
export function AwardsToCome({ onIssued }: { onIssued: () => void }) {
  const awards = useSignal<readonly Award[]>([]);
  const look = async () => {
    const { items } = await ask(api.GET('/api/awards', { params: { query: { limit: 200 } } }));
    const before = awards.value;
    awards.value = items.filter((one) => one.state !== 'issued');
    if (before.some(({ id }) => !awards.value.some((one) => one.id === id))) onIssued();
  };
  useEffect(() => void look().catch(() => undefined), []);
  const signing = awards.value.some((one) => one.state === 'ready');
  useEffect(() => {
    if (!signing) return;
    let timer: number | undefined;
    let over = false;
    const again = ([wait, ...later]: number[]) => {
      if (wait && !over) timer = window.setTimeout(() => void look().then(() => again(later), () => undefined), wait);
    };
    again(waits);
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [signing]);
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
        {state === 'ready' && <span class="small">{t('ui.award.soon')}</span>}
        {state === 'refused' && <span class="small">{t('ui.award.refused_because', { Reason: award.refused_reason ?? '' })}</span>}
        {others.length > 0 && (
          <span class="small">
            {t('ui.app.awards.waits')}
            <ul class="wants">
              {others.map((want) => (
                <li key={want}>{t(`ui.award.want.${want}`)}</li>
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
