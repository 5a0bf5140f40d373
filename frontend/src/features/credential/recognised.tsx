import { formatDate, locale, spokenIn, t } from '../../i18n/words';
import { named } from './named';

type Texts = Readonly<Record<string, string>>;
export interface Recognition {
  by: string;
  byNames: Texts;
  as: Texts;
  scope?: Texts | undefined;
  conditions?: Texts | undefined;
  until?: string | undefined;
  /** When it was last known to hold, where that was some time ago. */
  known?: string | undefined;
}

/** What institutions take an achievement for: as what, for what, on which conditions, until when. */
export function Recognised({ of }: { of: readonly Recognition[] }) {
  return (
    <ul class="recognised">
      {of.map(({ by, byNames, as, scope, conditions, until, known }, i) => (
        <li key={`${by} ${i}`}>
          <strong>
            <Text of={byNames} otherwise={by} />
          </strong>
          {' · '}
          <Text of={as} otherwise="" />
          <Line label={t('ui.verify.recognised.scope')} of={scope} />
          <Line label={t('ui.verify.recognised.conditions')} of={conditions} />
          {until !== undefined && <span class="small">{t('ui.verify.recognised.until', { Date: formatDate(until) })}</span>}
          {known !== undefined && <span class="small">{t('ui.verify.recognised.known', { Date: formatDate(known) })}</span>}
        </li>
      ))}
    </ul>
  );
}

function Line({ label, of }: { label: string; of: Texts | undefined }) {
  if (!of || !Object.keys(of).length) return null;
  return (
    <span class="small">
      {label}
      {' · '}
      <Text of={of} otherwise="" />
    </span>
  );
}

function Text({ of, otherwise }: { of: Texts; otherwise: string }) {
  const { text, lang } = named(of, otherwise);
  return <bdi {...spokenIn(lang === locale() ? undefined : lang)}>{text}</bdi>;
}
