import { useSignal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { formatDate, formatPercent, locale, t } from '../../i18n/words';
import { Form } from '../../ui/form';
import { Trouble } from '../../ui/notice';
import { ReasonField } from '../../ui/reason-field';
import { Said } from '../../ui/said';
import { Select } from '../../ui/select';
import { useTask } from '../../ui/task';
import type { Award } from './awards';

type Assessment = Schemas['Assessment'];
export const levels: readonly Assessment[] = ['unsupervised', 'supervised', 'on_site'];

interface Props {
  institution: string;
  award: Award;
  may: boolean;
  onChanged: (award: Award) => void;
}

/** One award, and what staff can do about it. */
export function AwardRow({ institution, award, may, onChanged }: Props) {
  const task = useTask();
  const refusing = useSignal(false);
  const params = { path: { institution_id: institution, award_id: award.id } };
  const approve = () =>
    task.run(async () => {
      refusing.value = false;
      onChanged(await ask(api.PUT('/api/institutions/{institution_id}/awards/{award_id}/decision', { params, body: { approve: true } })));
    });
  const assess = (assessment: Assessment) =>
    task.run(async () => {
      onChanged(await ask(api.PUT('/api/institutions/{institution_id}/awards/{award_id}/assessment', { params, body: { assessment } })));
    });
  const confirmName = () =>
    task.run(async () => {
      onChanged(await ask(api.PUT('/api/institutions/{institution_id}/awards/{award_id}/name', { params, body: { name: award.name } })));
    });
  const { state, wants } = award;
  const open = may && (state === 'waiting' || state === 'refused');
  return (
    <li>
      <span class="row-what">
        <strong>
          <bdi>{award.name}</bdi>
        </strong>
        <span class="small">
          <bdi translate={false}>{award.username}</bdi>
          {award.name_confirmed_by_learner && <> · {t('ui.app.awards.name_by_learner')}</>}
        </span>
        <span class="small">
          <Said of={{ text: award.title, langs: award.title_lang, source: award.source_locale }} />
        </span>
        <Facts award={award} />
        <span>
          <span class={`chip ${state}`}>{t(`ui.app.awards.state.${state}`)}</span>
        </span>
        {wants.length > 0 && (
          <span class="small">
            {t('ui.app.awards.waits')}
            <ul class="wants">
              {wants.map((want) => (
                <li key={want}>{t(`ui.award.want.${want}`)}</li>
              ))}
            </ul>
          </span>
        )}
        {state === 'refused' && <span class="small">{t('ui.award.refused_because', { Reason: award.refused_reason ?? '' })}</span>}
      </span>
      <span class="buttons">
        {award.credential_id && (
          <a class="button quiet" href={`/${locale()}/verify/${award.credential_id}`}>
            {t('ui.app.certificates.view')}
            <span class="unseen"> {award.name}</span>
          </a>
        )}
        {open && (wants.indexOf('approval') >= 0 || state === 'refused') && (
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void approve()}>
            {t('ui.app.awards.approve')}
            <span class="unseen"> {award.name}</span>
          </button>
        )}
        {open && wants.indexOf('name') >= 0 && (
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void confirmName()}>
            {t('ui.app.awards.confirm_name')}
            <span class="unseen"> {award.name}</span>
          </button>
        )}
        {open && state === 'waiting' && (
          <button
            type="button"
            class="button quiet danger"
            aria-expanded={refusing.value}
            onClick={() => (refusing.value = !refusing.value)}
          >
            {t('ui.app.awards.refuse')}
            <span class="unseen"> {award.name}</span>
          </button>
        )}
      </span>
      {open && state === 'waiting' && (
        <div class="row-side">
          <Select
            label={t('ui.app.awards.assessment')}
            value={award.assessment}
            options={levels.map((level) => [level, t(`ui.app.assessment.${level}`)] as const)}
            onValue={(level) => void assess(level as Assessment)}
          />
        </div>
      )}
      {task.trouble.value && !refusing.value ? <Trouble cause={task.trouble.value} /> : null}
      {refusing.value && (
        <Refuse
          institution={institution}
          award={award}
          onRefused={(refused) => {
            refusing.value = false;
            onChanged(refused);
          }}
        />
      )}
    </li>
  );
}

function Facts({ award }: { award: Award }) {
  const parts = [t('ui.app.awards.earned', { Date: formatDate(award.created_at) })];
  if (award.score !== undefined) parts.push(t('ui.app.awards.score', { Percent: formatPercent(award.score) }));
  if (award.ai_help !== 'undeclared') parts.push(t('ui.app.awards.ai_help', { Help: t(`ui.app.ai_help.${award.ai_help}`) }));
  return <span class="small">{parts.join(' · ')}</span>;
}

function Refuse({ institution, award, onRefused }: { institution: string; award: Award; onRefused: (award: Award) => void }) {
  const task = useTask();
  const reason = useSignal('');
  const refuse = async () => {
    const params = { path: { institution_id: institution, award_id: award.id } };
    const body = { approve: false, reason: reason.value.trim() };
    onRefused(await ask(api.PUT('/api/institutions/{institution_id}/awards/{award_id}/decision', { params, body })));
  };
  return (
    <Form task={task} submit={t('ui.app.awards.refuse_now')} onSubmit={refuse}>
      <ReasonField label={t('ui.app.issued.reason')} reason={reason} task={task} hint={t('ui.app.awards.reason_hint')} />
    </Form>
  );
}
