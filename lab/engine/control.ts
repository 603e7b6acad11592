import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { listenOnLoopback } from '../driver/loopback.js';
import type { Github } from '../github/github.js';
import {
  branchRefusal,
  cacheModeOf,
  type Environment,
  environmentName,
  type JobRequest,
  permissionsOf,
} from './environments.js';

/** A job that asks to be let in, for a reviewer to look at. */
export interface Review {
  environment: string;
  job: string;
}

export interface ControlOptions {
  /** The services as the run sees them. */
  github: Github;
  environments: Readonly<Record<string, Environment>>;
  /** Secrets that every job of the repository sees. */
  secrets: Readonly<Record<string, string>>;
  /** Asked once for each job whose environment has reviewers. @returns whether the job may start */
  review(review: Review): Promise<boolean>;
}

/** A job that was let in or not, in the order of asking. */
export interface Entered {
  job: string;
  environment: string;
  refused: string;
}

export interface Control {
  url: string;
  entered: readonly Entered[];
  close(): Promise<void>;
}

const requestShape = z.object({
  workflow: z.string(),
  job: z.string(),
  environment: z.unknown(),
  permissions: z.unknown(),
  callerPermissions: z.unknown(),
  isCalled: z.boolean(),
  cacheMode: z.string(),
});

/**
 * Stands in for the part of GitHub that starts jobs: environments with their secrets, variables, branches and
 * reviewers, a GITHUB_TOKEN with the permissions of that very job, and the runner's tokens with its cache mode.
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const entered: Entered[] = [];
  const server = createServer((request, response) => {
    answer(request, options, entered).then(
      (grant) => response.end(JSON.stringify(grant)),
      (error: unknown) => response.end(JSON.stringify({ denied: String(error) })),
    );
  });
  const { port, close } = await listenOnLoopback(server);
  return { url: `http://127.0.0.1:${port}/job`, entered, close };
}

async function answer(message: IncomingMessage, options: ControlOptions, entered: Entered[]): Promise<unknown> {
  const request: JobRequest = requestShape.parse(await json(message));
  const environment = environmentName(request.environment);
  const permissions = permissionsOf(request);
  const refused = typeof permissions === 'string' ? permissions : await refusalOf(request.job, environment, options);
  entered.push({ job: request.job, environment, refused });
  if (refused !== '' || typeof permissions === 'string') return { denied: refused };
  const { secrets = {}, variables = {} } = options.environments[environment] ?? {};
  const view = options.github.as({ job: request.job, cacheMode: cacheModeOf(request), permissions });
  return { token: view.token, env: view.env, vars: variables, secrets: { ...options.secrets, ...secrets } };
}

/** @returns empty where the job may start */
async function refusalOf(job: string, name: string, { environments, github, review }: ControlOptions): Promise<string> {
  const environment = environments[name];
  if (environment === undefined) return '';
  const byBranch = branchRefusal(name, environment, github.run.ref);
  if (byBranch !== undefined) return byBranch;
  if (environment.hasReviewers !== true || (await review({ environment: name, job }))) return '';
  return `The deployment to ${name} was rejected by its reviewer.`;
}
