import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Tier } from '../../offline/bundle/documents';
import type { Cost } from '../../offline/bundle/download';
import type { Rule, Version } from '../../offline/bundle/library';
import { rootOf } from '../../offline/bundle/library';
import { running } from '../../offline/bundle/resume';
import { spokenIn, t } from '../../i18n/words';
import { Notice } from '../../ui/notice';
import { Select } from '../../ui/select';
import { useLoaded } from '../../ui/loaded';
import { useTask } from '../../ui/task';
import { online, sparing } from './connection';
import { follow, type Followed } from './course';
import { size } from './size';
import { Stopped } from './trouble';

interface Language {
  locale: string;
  name: string;
}

interface Props {
  course: string;
  locale: string;
  /** The languages of the site, by their own names. */
  languages: readonly Language[];
}

/** On a course's page: take it along, see that it is here, keep it in step. */
export function Keep({ course, locale, languages }: Props) {
  const it = useMemo(() => follow(course), [course]);
  useEffect(() => it.close, [it]);
  const row = it.row.value;
  // Not known yet: a moment, and nothing that could be shown wrongly.
  if (row === null) return null;
  return (
    <section class="keep">
      {row?.installed && <Here it={it} course={course} version={row.installed} previous={row.previous} />}
      {row?.downloads ? (
        <Coming it={it} course={course} />
      ) : (
        <Choose it={it} locale={locale} languages={languages} installed={row?.installed} />
      )}
      {it.trouble.value && !(row?.downloads && it.held.value) ? (
        <Stopped cause={it.trouble.value} retry={row?.downloads ? () => void it.start(row.downloads?.rule as Rule, row.downloads?.number) : undefined} />
      ) : null}
    </section>
  );
}

/** What is here, whether it is whole, and whether there is something newer. */
function Here({ it, course, version, previous }: { it: Followed; course: string; version: Version; previous: Version | undefined }) {
  const newer = useSignal<Cost | undefined>(undefined);
  const put = useSignal(false);
  const task = useTask();
  const labs = useLoaded(() => import('./python'));
  useSignalEffect(() => {
    if (!online.value) return;
    // One small answer; without it the learner stays where they are, which is no fault.
    it.newer().then(
      (found) => (newer.value = found),
      () => undefined,
    );
  });
  const found = newer.value;
  return (
    <>
      <p class="tick">{t('ui.offline.here', { Number: version.number, Size: size(it.room.value?.installed ?? 0) })}</p>
      <Gone it={it} />
      {labs && <labs.Python course={course} version={version} />}
      {found && found.number > version.number && !put.value && (
        <Notice>
          <p>{t('ui.offline.update', { Count: changed(found), Size: size(found.bytes) })}</p>
          <p class="buttons">
            <button type="button" class="button" onClick={() => void it.update(found.number)}>
              {t('ui.offline.update.take', { Size: size(found.bytes) })}
            </button>
            <button type="button" class="button quiet" onClick={() => (put.value = true)}>
              {t('ui.offline.update.stay')}
            </button>
          </p>
        </Notice>
      )}
      <p class="buttons">
        {previous && (
          <button type="button" class="button quiet" aria-disabled={task.busy.value} onClick={() => void task.run(it.back)}>
            {t('ui.offline.back', { Number: previous.number })}
          </button>
        )}
        <a class="button quiet" href="/app/offline">
          {t('ui.offline.title')}
        </a>
      </p>
      {task.trouble.value ? <Stopped cause={task.trouble.value} /> : null}
    </>
  );
}

/** What the browser threw away of a course, and the way to have it back. */
export function Gone({ it }: { it: Followed }) {
  const gone = it.gone.value;
  if (!gone) return null;
  return (
    <Notice kind="bad">
      <p>{t('ui.offline.lost', { Size: size(gone.bytes) })}</p>
      <p class="buttons">
        <button type="button" class="button" disabled={!online.value} onClick={() => void it.repair()}>
          {t('ui.offline.repair')}
        </button>
      </p>
    </Notice>
  );
}

function changed({ changed: parts }: Cost): number {
  return parts ? parts.new + parts.changed + parts.removed : 0;
}

/** A download under way, or one that somebody paused. */
export function Coming({ it, course }: { it: Followed; course: string }) {
  const row = it.row.value;
  const now = it.arriving();
  const left = useSignal<number | undefined>(undefined);
  const busy = now !== undefined || running.has(course);
  const rule = row?.downloads?.rule;
  const number = row?.downloads?.number;
  const parts = row?.downloads?.parts ?? [];
  const total = now?.of ?? parts.reduce((sum, { bytes }) => sum + bytes, 0);
  useEffect(() => {
    // Asks only this device: a download that was begun has its plan here.
    if (!busy && rule) void it.cost(rule).then(({ bytes }) => (left.value = bytes), () => undefined);
  }, [busy, rule]);
  if (!rule) return null;
  return (
    <div class="coming">
      {busy && (
        <div class="bar">
          <progress value={now?.bytes ?? 0} max={total || 1} aria-label={t('ui.offline.keep')} />
          <span>{now?.phase === 'checking' ? t('ui.offline.checking') : t('ui.offline.progress', { Done: size(now?.bytes ?? 0), Total: size(total) })}</span>
        </div>
      )}
      <p class="buttons">
        {busy ? (
          <button type="button" class="button" onClick={() => void it.hold()}>
            {t('ui.offline.pause')}
          </button>
        ) : (
          <button type="button" class="button" onClick={() => void it.start(rule, number)}>
            {t('ui.offline.go_on', { Size: size(left.value ?? total) })}
          </button>
        )}
        <button type="button" class="button quiet" onClick={() => void it.giveUp()}>
          {t('ui.offline.give_up')}
        </button>
      </p>
    </div>
  );
}

const tiers: readonly Tier[] = ['text', 'images', 'all'];
const budgets = [1, 2, 5, 10, 20];

/** How much of the course, in which languages, and what that costs: said before the tap. */
function Choose({ it, locale, languages, installed }: { it: Followed; locale: string; languages: readonly Language[]; installed: Version | undefined }) {
  /** Not known yet: all languages of the site are offered, and what the course has not comes in its own. */
  const speaks = useSignal(installed && Object.keys(rootOf(installed).editions));
  const open = useSignal(false);
  const tier = useSignal<Tier>(installed?.rule.tier ?? 'text');
  const chosen = useSignal<readonly string[]>(installed?.rule.locales ?? [locale]);
  const budget = useSignal('');
  /** With the choice they are for: what was changed has no price until it has its own, not even for one frame. */
  const priced = useSignal<{ wish: string; costs: Partial<Record<Tier, Cost>> }>({ wish: '', costs: {} });
  const failed = useSignal<unknown>(undefined);
  const tries = useSignal(0);
  const rule = (of: Tier): Rule => ({
    locales: [...chosen.value],
    tier: of,
    ...(budget.value !== '' && { budget: Number(budget.value) * 1e6 }),
  });
  const wish = () => JSON.stringify([chosen.value, budget.value]);
  const costsOf = (wished: string, { wish: known, costs } = priced.peek()) => (known === wished ? costs : {});
  useSignalEffect(() => {
    if (!open.value || !online.value || speaks.peek()) return;
    void it.languages().then(
      (found) => (speaks.value = found),
      () => undefined,
    );
  });
  // What was asked for last counts: answers come in any order.
  useSignalEffect(() => {
    const wished = wish();
    const nth = tries.value;
    if (!open.value || !online.value) return;
    let again: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    for (const one of tiers.filter((other) => !costsOf(wished)[other])) {
      it.cost(rule(one)).then(
        (found) => {
          if (over) return;
          priced.value = { wish: wished, costs: { ...costsOf(wished), [one]: found } };
          failed.value = undefined;
        },
        (cause: unknown) => {
          if (over) return;
          failed.value = cause;
          // A line that broke is soon another one: without a price there is no button, and nobody should have to reload for it.
          again ??= setTimeout(() => void tries.value++, Math.min(2 ** nth, 30) * 1000);
        },
      );
    }
    return () => {
      over = true;
      clearTimeout(again);
    };
  });
  const costs = costsOf(wish(), priced.value);
  const price = costs[tier.value];
  const words = { text: 'ui.offline.tier.text', images: 'ui.offline.tier.images', all: 'ui.offline.tier.all' } as const;
  return (
    <details onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{t(installed ? 'ui.offline.more' : 'ui.offline.keep')}</summary>
      {!installed && <p>{t('ui.offline.keep.lead')}</p>}
      {!online.value && <p class="hint">{t('ui.offline.away')}</p>}
      {sparing() && <p class="hint">{t('ui.offline.saving')}</p>}
      <fieldset class="choices">
        <legend>{t('ui.offline.tier')}</legend>
        {tiers.map((one) => (
          <label key={one} class="choice">
            <input type="radio" name="tier" checked={tier.value === one} onChange={() => (tier.value = one)} />
            <span>{t(words[one], { Size: costs[one] ? size(costs[one].bytes) : '…' })}</span>
          </label>
        ))}
      </fieldset>
      <fieldset class="choices">
        <legend>{t('ui.offline.languages')}</legend>
        {languages
          .filter((one) => !speaks.value || speaks.value.indexOf(one.locale) >= 0 || chosen.value.indexOf(one.locale) >= 0)
          .map((one) => (
            <label key={one.locale} class="choice">
              <input
                type="checkbox"
                checked={chosen.value.indexOf(one.locale) >= 0}
                onChange={(event) => {
                  const others = chosen.value.filter((other) => other !== one.locale);
                  const next = event.currentTarget.checked ? [...others, one.locale] : others;
                  if (next.length) chosen.value = next;
                  else event.currentTarget.checked = true;
                }}
              />
              <span translate={false} {...spokenIn(one.locale)}>
                {one.name}
              </span>
            </label>
          ))}
      </fieldset>
      <Select
        label={t('ui.offline.budget')}
        value={budget.value}
        options={[['', t('ui.offline.budget.none')], ...budgets.map((million) => [String(million), size(million * 1e6)] as const)]}
        onValue={(value) => (budget.value = value)}
      />
      {failed.value ? <Stopped cause={failed.value} retry={() => void tries.value++} /> : null}
      {price && price.bytes === 0 ? (
        <p class="hint">{t('ui.offline.nothing_new')}</p>
      ) : (
        <p class="buttons">
          <button type="button" class="button" disabled={!price} onClick={() => void it.start(rule(tier.value))}>
            {t('ui.offline.start', { Size: price ? size(price.bytes) : '…' })}
          </button>
        </p>
      )}
    </details>
  );
}
