import * as core from '@actions/core';
import type { TokenSource } from '../cluster/token-source.js';
import { renewing } from '../cluster/token-source.js';
import { McprtError, messageOf } from '../errors.js';

const within = 60_000;

/**
 * The job's identity as GitHub signs it, for one audience. Each token lasts minutes, and a long job asks for more of them.
 *
 * @throws McprtError `identity-unavailable` by what it gives, where the job may not ask or GitHub does not answer
 */
export function jobIdentity(
  audience: string,
  { env, mask }: { env: NodeJS.ProcessEnv; mask: (secret: string) => void },
): TokenSource {
  return renewing(async () => {
    if (!env.ACTIONS_ID_TOKEN_REQUEST_URL || !env.ACTIONS_ID_TOKEN_REQUEST_TOKEN) {
      throw new McprtError('identity-unavailable', {
        what: 'this job may not ask GitHub for its identity',
        why: 'the runner gives the way to it only to a job with `permissions: id-token: write`, and never to a fork’s pull request',
        next: 'give the job `permissions: id-token: write`, and the job that calls its workflow as well; or give a `kubeconfig`',
      });
    }
    const token = await limited(core.getIDToken(audience)).catch((cause: unknown) => {
      throw new McprtError('identity-unavailable', {
        what: 'GitHub gives this job no identity',
        why: messageOf(cause)
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '')
          .join('; ')
          .slice(0, 300),
        next: 'run the job again; githubstatus.com tells when GitHub’s Actions have trouble',
      });
    });
    mask(token);
    return token;
  });
}

/** The client behind it tries again by itself, and ends at some time only. */
async function limited<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${within / 1000} s`)), within);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
