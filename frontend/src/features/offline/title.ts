import { edition } from '../../offline/bundle/library';
import { locale } from '../../i18n/words';

/** The title of a course on this device in the language of the page, or in one in which the course is here. */
export async function titleOf(course: string, others: readonly string[] = []): Promise<{ text: string; lang?: string }> {
  for (const one of [locale(), ...others]) {
    const found = await edition(course, one);
    if (!found) continue;
    const lang = found.title_lang ?? found.locale;
    return { text: found.title, ...(lang !== locale() && { lang }) };
  }
  return { text: course };
}
