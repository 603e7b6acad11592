import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { listenOnLoopback } from '../driver/loopback.js';
import type { Github } from '../github/github.js';
import type { IdentityProvider } from '../github/identity-provider.js';
import type { RunPermissions } from '../github/run.js';
import {
  branchRefusal,
  cacheModeOf,
  type Environment,
  environmentName,
  type JobRequest,
  permissionsOf,
} from './environments.js';
import { concurrencyOf, Groups } from './groups.js';

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
  /** Who issues the identities of jobs; nobody where it is left out. */
  identities?: IdentityProvider;
  /** The groups that the runs of the repository share; this run is alone where they are left out. */
  groups?: Groups;
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
  concurrency: z.unknown(),
  workflowConcurrency: z.unknown(),
  hasEnded: z.boolean(),
});

/**
 * Stands in for the part of GitHub that starts jobs: groups, environments with their secrets, variables, branches and
 * reviewers, a GITHUB_TOKEN with the permissions of that very job, and the runner's tokens with its cache mode.
 *
 * A job takes the group of its workflow and its own one before it waits for its reviewer, as on GitHub. One that is cancelled in
 * its group counts as failed here.
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const entered: Entered[] = [];
  const run: Run = {
    ...options,
    groups: options.groups ?? new Groups(),
    name: `run ${options.github.run.id}`,
    entered,
  };
  const server = createServer((request, response) => {
    // Who is cancelled while it waits has gone.
    const gone = new Promise<void>((resolve) => response.once('close', () => !response.writableFinished && resolve()));
    answer(request, run, gone).then(
      (grant) => response.end(JSON.stringify(grant)),
      (error: unknown) => response.end(JSON.stringify({ denied: String(error) })),
    );
  });
  const { port, close } = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}/job`,
    entered,
    async close() {
      run.groups.release(run.name);
      for (const { job } of entered) run.groups.release(`${run.name}: ${job}`);
      await close();
    },
  };
}

interface Run extends ControlOptions {
  groups: Groups;
  /** How it is called as the holder of a group. */
  name: string;
  entered: Entered[];
  /** Answered once for the whole run. */
  admitted?: Promise<string>;
}

async function answer(message: IncomingMessage, run: Run, gone: Promise<void>): Promise<unknown> {
  const request = requestShape.parse(await json(message));
  const holder = `${run.name}: ${request.job}`;
  if (request.hasEnded) {
    run.groups.release(holder);
    return {};
  }
  void gone.then(() => run.groups.release(holder));
  const environment = environmentName(request.environment);
  const permissions = permissionsOf(request);
  const refused =
    typeof permissions === 'string'
      ? permissions
      : (await refusalByGroup(request, run, holder)) || (await refusalOf(request.job, environment, run));
  run.entered.push({ job: request.job, environment, refused });
  if (refused !== '' || typeof permissions === 'string') {
    run.groups.release(holder);
    return { denied: refused };
  }
  const { secrets = {}, variables = {} } = run.environments[environment] ?? {};
  const view = run.github.as({ job: request.job, cacheMode: cacheModeOf(request), permissions });
  const env = { ...view.env, ...identityOf(request, environment, permissions, run) };
  return { token: view.token, env, vars: variables, secrets: { ...run.secrets, ...secrets } };
}

/** The way to a job's identity, for a job that may ask; what it will say of the job is not for the job to say. */
function identityOf(
  request: JobRequest,
  environment: string,
  permissions: RunPermissions,
  { identities, github }: Run,
): Record<string, string> {
  if (identities === undefined || permissions['id-token'] !== 'write') return {};
  const { GITHUB_REPOSITORY: repository = '', GITHUB_REPOSITORY_ID: repositoryId = '' } = github.env;
  return identities.job({
    repository,
    repositoryId,
    ...(environment === '' ? {} : { environment }),
    ref: github.run.ref,
    event: github.run.event,
    workflowRef: `${repository}/.github/workflows/${request.workflow}@${github.run.ref}`,
    runId: String(github.run.id),
  }).env;
}

/** @returns empty where the job has the groups that it asks for */
async function refusalByGroup(request: JobRequest, run: Run, holder: string): Promise<string> {
  const [ofRun, ofJob] = [concurrencyOf(request.workflowConcurrency), concurrencyOf(request.concurrency)];
  run.admitted ??= ofRun === undefined ? Promise.resolve('') : run.groups.take(ofRun, run.name);
  const refused = await run.admitted;
  return refused !== '' || ofJob === undefined ? refused : run.groups.take(ofJob, holder);
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
