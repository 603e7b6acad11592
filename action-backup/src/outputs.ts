import type { Markdown } from '../../shared/action/markdown.js';
import type { outputNames } from './inputs.js';

/** What an operation tells the workflow; `result` is added from the rest. */
export type Outputs = Partial<Record<Exclude<(typeof outputNames)[number], 'result'>, string | number>>;

/** What an operation has to say at its end. */
export interface Report {
  outputs: Outputs;
  /** More than the outputs say, for scripts. */
  details: Record<string, unknown>;
  summary: Markdown;
}
