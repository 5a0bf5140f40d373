// A check of a lab as its public JSON has it; see docs/lab-format.md and internal/curriculum/labdef.
export interface Rule {
  observe: 'call' | 'output' | 'file';
  call?: string;
  file?: string;
  data?: { name: string; rows: Record<string, unknown>[] };
  kind: 'equals' | 'near' | 'set' | 'unordered' | 'matches' | 'raises' | 'metric' | 'judge';
  want?: unknown;
  tolerance?: number;
  reveal?: boolean;
  metric?: Metric;
  judge?: string;
  judge_name?: string;
  says?: Record<string, string>;
}

export interface Metric {
  name: 'accuracy' | 'error_rate' | 'group_gap';
  labels: unknown[];
  groups?: unknown[];
  at_least?: number;
  at_most?: number;
}

export interface CheckRule {
  id: string;
  rule?: Rule;
}
