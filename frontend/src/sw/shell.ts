// What /shell/<locale>.json holds: all that a page needs in one language, but for the courses. api/web/shell.go writes it.

export type Entry = string | Record<string, string>;

/** An address, and what fetching it costs at most. */
export interface ShellFile {
  address: string;
  bytes: number;
}

export interface Shell {
  /** Two shells of one build are the same. */
  build: string;
  locale: string;
  /** The headers of a page. */
  headers: Record<string, string>;
  /** What goes into the slot of that name. */
  style: string;
  /** Whole pages by kind, with slots for a course's own texts. */
  pages: Record<string, string>;
  /** What is filled once an entry. */
  parts: Record<string, string>;
  words: Record<string, Entry>;
  /** Words inside fragments, by the language of the text around them. */
  labels: Record<string, Record<string, Entry>>;
  frameworks: { part: string; competences: { id: string; part: string }[] }[];
  /** The tags by which Intl writes numbers as the server does, by locale. */
  numbers: Record<string, string>;
  /** The link of a head to a page in another language, in the order of the site's languages. */
  alternates: { locale: string; part: string }[];
  patterns: { block: string; recording: string; other: string; rtl: string };
  /** What the reading pages ask for, and what the app and the labs ask for besides. */
  files: ShellFile[];
  more: ShellFile[];
}
