import { McprtError } from '../../shared/errors.js';
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

/** @throws McprtError `smoke-no-password` */
export function requirePassword(inputs: SmokeInputs): void {
  const { length } = inputs['user-password'];
  if (length >= 8 && length <= 72) return;
  throw new McprtError('smoke-no-password', {
    what: 'the tests’ own users have no password that the platform takes',
    why: `\`user-password\` ${length === 0 ? 'is empty' : `has ${length} characters`}; secrets are empty also in a run that a fork has caused`,
    next: 'store a password of 8 to 72 characters as a secret, and keep it the same: the platform cannot change one',
  });
}
