import { recordsAt, textAt } from '../cluster/fields.js';
import { McprtError } from '../errors.js';
import { GithubRefusal, githubError } from '../github-refusal.js';
import { isRecord } from '../json.js';
import { expectedPlan } from './choice.js';
import { githubOf } from './github.js';
import { askGithub, type GithubApi } from './github-api.js';
import { type InputType, lines, readInputs, token } from './inputs.js';
import { log } from './log.js';
import { runAction } from './run.js';

const names: InputType<string[]> = {
  expected: 'names of environments, one a line',
  parse(value) {
    const found = lines.parse(value);
    if (found.length === 0) throw new Error('there is none');
    return found;
  },
};

/** The inputs of the local action `reviewed`. */
const inputTypes = { environment: names, token, plan: expectedPlan } as const;

/** The entry of the local action `reviewed`: it fails where a job that runs in an environment was approved by nobody. */
export async function reviewedAction(): Promise<void> {
  await runAction('reviewed', async () => {
    const inputs = readInputs(inputTypes);
    const api = githubOf(inputs.token, process.env);
    for (const name of inputs.environment) {
      for (const line of await requireReviewers(api, name)) log.warning(line);
      log.info(`environment ${name} has required reviewers`);
    }
  });
}

/**
 * Looks whether jobs of an environment have to be let in by somebody.
 *
 * @returns what its rules leave open, in words
 * @throws McprtError `github-environment-unread`, `github-environment-unreviewed`
 */
export async function requireReviewers(api: GithubApi, name: string): Promise<string[]> {
  const found = await askGithub(api, 'GET', `/environments/${encodeURIComponent(name)}`).catch((error: unknown) => {
    if (error instanceof GithubRefusal && error.status === 404) return {};
    throw githubError(error, {
      code: 'github-environment-unread',
      what: `the rules of environment ${name} cannot be read`,
      next: 'give the job `actions: read`',
    });
  });
  // Rules of apps are not among these: they are no persons.
  const rule = recordsAt(found, 'protection_rules').find((one) => textAt(one, 'type') === 'required_reviewers');
  if (rule === undefined || recordsAt(rule, 'reviewers').length === 0) throw unreviewed(name, rule !== undefined);
  return [
    ...(rule.prevent_self_review === true
      ? []
      : [
          `whoever starts a run may approve it in environment ${name} as well: "Prevent self-review" is off in its settings`,
        ]),
    ...(isRecord(found) && found.can_admins_bypass === true
      ? [`administrators of the repository may pass the reviewers of environment ${name} by`]
      : []),
  ];
}

function unreviewed(name: string, isEmpty: boolean): McprtError {
  return new McprtError('github-environment-unreviewed', {
    what: `environment ${name} has no required reviewers, so that nobody has approved this run`,
    why: isEmpty
      ? 'its rule for reviewers names nobody: who was in it has left'
      : 'it has no rule for reviewers; GitHub creates a missing environment with no protection rules, and rules of apps or waiting times ask nobody',
    next: 'add reviewers in Settings, Environments, and run all jobs again',
  });
}
