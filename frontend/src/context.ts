// What the server says about the page, in data attributes of the body.
export interface Context {
  page: string;
  locale: string;
  course: string;
  version: number;
  item: string;
  kind: string;
}

export function context(of: HTMLElement = document.body): Context {
  const { page = '', locale, course = '', version = '0', item = '', kind = '' } = of.dataset;
  return { page, locale: locale || document.documentElement.lang || 'en', course, version: Number(version), item, kind };
}

/** The item's data, where the page carries some. */
export function itemData<T>(): T {
  return JSON.parse(document.getElementById('item-data')?.textContent ?? 'null') as T;
}
