// Which Python runs in the page: what each weighs, what suits this device, what it keeps. The learner decides.
import { useSignal } from '@preact/signals';
import { formatNumber, t } from '../../../i18n/words';
import { keep, kept as remembered } from '../../../offline/shelf';
import { ConfirmButton } from '../../../ui/confirm-button';
import { choiceKey, dropPack, keptPacks, listPacks, suggest, type Pack, type PackID } from '../../../offline/python/pack';
import './packs.css';

export interface Found {
  packs: Pack[];
  /** Digests of those on this device. */
  kept: Set<string>;
  suggested?: PackID;
  /** What the learner chose before, where it is still on this device: no need to ask again. */
  chosen?: PackID;
}

/** The packs for this browser. Rejects with Unreached when the server cannot be asked and none is kept. */
export async function findPacks(): Promise<Found> {
  const [packs, kept, choice] = await Promise.all([listPacks(), keptPacks(), remembered<PackID>('drafts', choiceKey)]);
  const chosen = packs.find(({ id, digest }) => id === choice && kept.has(digest))?.id;
  return { packs, kept, chosen, suggested: suggest(packs, kept)?.id };
}

interface Props {
  found: Found;
  onChoose: (pack: Pack) => void;
}

export function PackChoice({ found, onChoose }: Props) {
  const picked = useSignal(found.chosen ?? found.suggested ?? found.packs[0]?.id);
  const kept = useSignal(found.kept);
  const pack = found.packs.find(({ id }) => id === picked.value);
  const remove = (gone: Pack) => {
    kept.value = new Set(Array.from(kept.value).filter((digest) => digest !== gone.digest));
    void dropPack(gone);
  };
  return (
    <form
      class="pack-choice"
      onSubmit={(event) => {
        event.preventDefault();
        if (!pack) return;
        void keep('drafts', choiceKey, pack.id);
        onChoose(pack);
      }}
    >
      <fieldset>
        <legend>{t('ui.lab.run.which')}</legend>
        <p>{t('ui.lab.run.once')}</p>
        {found.packs.map((one) => (
          <div key={one.id} class="pack">
            <label>
              <input type="radio" name="pack" checked={picked.value === one.id} onChange={() => (picked.value = one.id)} />
              <span>
                <strong>{t(`ui.lab.run.name.${one.id}`)}</strong> <span class="pack-size">{sizeOf(one)}</span>
                {found.suggested === one.id && <span class="chip">{t('ui.lab.run.suggested')}</span>}
              </span>
            </label>
            <p class="small">{t(`ui.lab.run.about.${one.id}`)}</p>
            {kept.value.has(one.digest) && (
              <p class="small pack-kept">
                {t('ui.lab.run.kept')}{' '}
                <ConfirmButton ask={t('ui.lab.run.remove')} sure={t('ui.lab.run.remove_sure')} about={t(`ui.lab.run.name.${one.id}`)} onConfirm={() => remove(one)} />
              </p>
            )}
          </div>
        ))}
      </fieldset>
      <button type="submit" class="button" aria-disabled={!pack}>
        {pack && kept.value.has(pack.digest) ? t('ui.lab.run.use') : t('ui.lab.run.fetch', { Size: pack ? sizeOf(pack) : '' })}
      </button>
    </form>
  );
}

function sizeOf({ bytes }: Pack): string {
  return t('ui.lab.run.megabytes', { Size: formatNumber(Math.max(bytes / 1e6, 0.1), { maximumFractionDigits: 1 }) });
}
