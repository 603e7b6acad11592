import { randomBytes } from 'node:crypto';
import type { ServerMetadata } from '../../shared/platform/servers-file.js';
import type { SmokeContext } from '../../shared/smoke/context.js';
import type { SmokeInputs } from './inputs.js';
import type { SmokeReport } from './report.js';

/** What an operation works with. */
export interface SmokeRun {
  inputs: SmokeInputs;
  context: SmokeContext;
  report: SmokeReport;
  /** Reads the metadata of the server. */
  metadata(isForeign: boolean): Promise<ServerMetadata>;
}

/** The tool that the inputs say, for the suite that publishes one server. */
export function callOf(inputs: SmokeInputs): { tool: string; args: Record<string, unknown>; expected: string } {
  return { tool: inputs['call-tool'], args: inputs['call-arguments'], expected: inputs['call-expects'] };
}

/** What tells the comment on a preview from all others: a pull request may have previews on several platforms. */
export function previewMarker(domain: string): string {
  return `preview on ${domain}`;
}

/** Short, unlike that of any other run, and of what a name on the platform may have. */
export function madeRunId(env: NodeJS.ProcessEnv): string {
  const run = BigInt(/^\d{1,18}$/.test(env.GITHUB_RUN_ID ?? '') ? (env.GITHUB_RUN_ID ?? '0') : '0').toString(36);
  return `${run}-${env.GITHUB_RUN_ATTEMPT || '1'}-${randomBytes(2).toString('hex')}`;
}
