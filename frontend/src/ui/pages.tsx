import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { t } from '../i18n/words';
import { Trouble } from './notice';

interface Page<T> {
  items: T[];
  next?: string;
}

export interface Pages<T> {
  items: Signal<readonly T[] | undefined>;
  next: Signal<string | undefined>;
  trouble: Signal<unknown>;
  more: () => Promise<void>;
  reload: () => Promise<void>;
}

/** A list that comes page by page. */
export function usePages<T>(load: (cursor: string | undefined) => Promise<Page<T>>): Pages<T> {
  const items = useSignal<readonly T[] | undefined>(undefined);
  const next = useSignal<string | undefined>(undefined);
  const trouble = useSignal<unknown>(undefined);
  const fetchPage = async (cursor: string | undefined, before: readonly T[]) => {
    trouble.value = undefined;
    try {
      const page = await load(cursor);
      items.value = [...before, ...page.items];
      next.value = page.next;
    } catch (cause) {
      trouble.value = cause;
    }
  };
  const reload = () => fetchPage(undefined, []);
  useEffect(() => void reload(), []);
  return { items, next, trouble, reload, more: () => fetchPage(next.value, items.value ?? []) };
}

interface Props<T> {
  of: Pages<T>;
  empty: ComponentChildren;
  children: (item: T) => ComponentChildren;
}

export function List<T>({ of, empty, children }: Props<T>) {
  const items = of.items.value;
  return (
    <>
      {items && items.length > 0 && <ul class="rows">{items.map(children)}</ul>}
      {items && items.length === 0 && <div class="empty">{empty}</div>}
      {!items && !of.trouble.value && <p class="loading">{t('ui.loading')}</p>}
      {of.trouble.value ? <Trouble cause={of.trouble.value} retry={() => void (items ? of.more() : of.reload())} /> : null}
      {of.next.value && !of.trouble.value && (
        <button type="button" class="button quiet" onClick={() => void of.more()}>
          {t('ui.app.more')}
        </button>
      )}
    </>
  );
}
