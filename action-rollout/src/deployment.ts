import { readFile } from 'node:fs/promises';
import { beginDeployment, type Deployment, deployedCommit } from '../../shared/action/deployment.js';
import { githubOf } from '../../shared/action/github.js';
import { log } from '../../shared/action/log.js';
import type { Opened } from '../../shared/action/operation.js';
import type { RolloutInputs } from './inputs.js';
/** The GitHub Deployment of a rollout; undefined where no environment is named. @throws McprtError `github-deployment` */
export async function deploymentFor({ inputs, target, env }: Opened<RolloutInputs>): Promise<Deployment | undefined> {
  if (inputs.environment === '') return undefined;
  const { runUrl, ...github } = githubOf(inputs['github-token'], env);
  const event: unknown = env.GITHUB_EVENT_PATH
    ? JSON.parse(await readFile(env.GITHUB_EVENT_PATH, 'utf8').catch(() => '{}'))
    : {};
  return beginDeployment(
    {
      ...github,
      sha: deployedCommit(event, env.GITHUB_SHA ?? ''),
      environment: inputs.environment,
      description: `Rollout of ${target.domain}`,
      logUrl: runUrl,
      url: `https://${target.hosts.platform}`,
    },
    log.warning,
  );
}
