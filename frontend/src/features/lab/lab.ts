// A lab as the page gets it; see docs/lab-format.md and internal/curriculum/labdef.
import type { Schemas } from '../../api/client';
import type { Rule } from './run/rule';

export interface Check {
  id: string;
  title: string;
  points?: number;
  /** A hidden check is judged by the server alone. */
  visible?: boolean;
  feedback?: string;
  rule?: Rule;
}

export interface Lab {
  id: string;
  title: string;
  entry: string;
  starter: Record<string, string>;
  /** Data that the code may read. */
  files?: Record<string, string> | null;
  hints: string[] | null;
  points?: number;
  limits?: { wall_seconds?: number; memory_mib?: number; output_kib?: number; files?: number; file_kib?: number; source_kib?: number };
  seed?: number;
  clock?: string;
  checks: Check[];
  /** The languages of texts that are not in the page's: `hint.1`, `check.<id>.title`, `.feedback`, `.says.<key>`. */
  langs?: Record<string, string>;
  /** The language of all texts, where the course does not speak the page's at all. */
  spoken?: string;
}

/** The language of a text of a lab, where it is not the page's. */
export const langOf = (lab: Lab, text: string): string | undefined => lab.langs?.[text] ?? lab.spoken;

export type Verdict = Schemas['Verdict'];
export type Submission = Schemas['Submission'];
