import { join } from 'node:path';
import { log } from '../../shared/action/log.js';
import type { Report } from '../../shared/action/operation.js';
import type { MetadataError } from '../../shared/platform/servers-file.js';
import type { SmokeInputs } from './inputs.js';
import {
  annotateChecks,
  failedCount,
  outputsOf,
  type SmokeReport,
  smokeSummary,
  stopClock,
  writeJunit,
} from './report.js';
/** What a run has to say at its end, and whether the step has failed. */
export function told(
  report: SmokeReport,
  {
    inputs,
    failure,
    metadataErrors,
    env,
  }: { inputs: SmokeInputs; failure: Report['failure']; metadataErrors: MetadataError[]; env: NodeJS.ProcessEnv },
): Report {
  const { checks, run } = report;
  if (checks.length > 0) report.junit = inputs.junit || join(env.RUNNER_TEMP || '/tmp', `mcprt-smoke-test-${run}.xml`);
  stopClock(report);
  annotateChecks(checks, metadataErrors);
  return {
    ...outputsOf(report),
    summary: smokeSummary(report, failure),
    async afterwards() {
      if (report.junit !== '') await writeJunit(report);
      if (failure === undefined) requirePassed(report);
    },
    failure,
  };
}

/** Ends the step as failed. What failed has its annotation and its line in the summary. */
function requirePassed({ checks, left }: SmokeReport): void {
  const failed = checks.filter(({ status }) => status === 'failed').length;
  if (failed === 0 && left.length === 0) return;
  process.exitCode = 1;
  const skipped = checks.filter(({ status }) => status === 'skipped').length;
  const others = skipped === 0 ? '' : `, ${skipped} skipped`;
  log.info(failed > 0 ? `${failedCount(checks)}${others}` : `${left.length} things are left`);
}
