// A lab as the page gets it; see internal/curriculum/course.go.
import type { Schemas } from '../../api/client';

export interface Lab {
  id: string;
  title: string;
  entry: string;
  starter: Record<string, string>;
  hints: string[] | null;
  checks: { id: string; title: string; call?: string }[];
}
export type Submission = Schemas['Submission'];
export type Verdict = Schemas['Verdict'];
