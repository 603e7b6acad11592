import type { RunContext } from '../backup/ports.js';

/** What the runner says about this run. */
export function runContext(env: NodeJS.ProcessEnv, domain: string, tool: string): RunContext {
  return {
    repository: env.GITHUB_REPOSITORY ?? '',
    repositoryId: env.GITHUB_REPOSITORY_ID ?? '',
    workflow: env.GITHUB_WORKFLOW_REF || (env.GITHUB_WORKFLOW ?? ''),
    runId: env.GITHUB_RUN_ID ?? '',
    runAttempt: env.GITHUB_RUN_ATTEMPT ?? '',
    job: env.GITHUB_JOB ?? '',
    domain,
    tool,
  };
}

/** The proxy that the runner's environment names. */
export function proxyOf(env: NodeJS.ProcessEnv): { httpsProxy?: string; noProxy?: string } {
  const httpsProxy = env.HTTPS_PROXY || env.https_proxy;
  const noProxy = env.NO_PROXY || env.no_proxy;
  return { ...(httpsProxy ? { httpsProxy } : {}), ...(noProxy ? { noProxy } : {}) };
}
