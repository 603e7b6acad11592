import { annotateFindings } from '../../shared/action/findings.js';
import { connectionOf, type Opened, type Report } from '../../shared/action/operation.js';
import { diagnose } from '../../shared/checks/diagnose.js';
import { blocking } from '../../shared/checks/finding.js';
import { McprtError } from '../../shared/errors.js';
import { observePlatform } from '../../shared/facts/observe-platform.js';
import { rulesOf } from '../../shared/permissions/operations.js';
import { newSetupRecord } from '../../shared/setup/options.js';
import { certificateStates } from '../../shared/setup/verify.js';
import type { SetupInputs } from './inputs.js';
import { platformOptionsOf } from './options.js';
import { checkSummary, outputsOf } from './report.js';

/** Looks and reports; fails when something is wrong, so that a schedule notices. */
export async function check({ connection, inputs, target, env, mask }: Opened<SetupInputs>): Promise<Report> {
  const { cluster } = connectionOf({ connection });
  const options = {
    ...platformOptionsOf({ inputs, target, env, mask }),
    rules: rulesOf('check'),
    backup: undefined,
    installer: undefined,
  };
  const facts = await observePlatform(cluster, options);
  const record = newSetupRecord();
  record.fingerprint = facts.seen.fingerprint;
  record.findings = diagnose(facts);
  record.certificates = facts.unseen.some((one) => /secret/i.test(one))
    ? []
    : await certificateStates(cluster, facts.seen.certManager.version, mask);
  annotateFindings(record.findings);
  const errors = blocking(record.findings);
  const [first] = errors;
  const failure =
    first &&
    new McprtError('setup-check', {
      what: `${errors.length} thing${errors.length === 1 ? ' is' : 's are'} wrong: ${first.cause}`,
      why: errors.map(({ code, subject, cause }) => `${subject}: ${cause} (${code})`).join('\n'),
      next: first.remedy,
    });
  return {
    ...outputsOf(record, true),
    summary: checkSummary(record, facts, target.domain),
    failure: failure && { error: failure },
  };
}
