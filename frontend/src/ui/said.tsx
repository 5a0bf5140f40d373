// Texts of courses: in the reader's language, or in one that stands in for it and says so.
import { locale, spokenIn } from '../i18n/words';

export interface CourseText {
  text: Record<string, string>;
  /** In which language the text is given to readers of another. */
  langs?: Record<string, string> | undefined;
  /** The language of the course. */
  source: string;
}

/** What a reader gets, and in which language where it is not theirs. */
export function said({ text, langs, source }: CourseText): { text: string; lang?: string } {
  const here = locale();
  const own = text[here];
  if (own !== undefined) return { text: own, lang: langs?.[here] };
  return { text: text[source] ?? '', lang: source };
}

export function Said({ of }: { of: CourseText }) {
  const { text, lang } = said(of);
  return <bdi {...spokenIn(lang)}>{text}</bdi>;
}
