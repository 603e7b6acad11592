import { createHash } from 'node:crypto';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { withoutEnd } from '../text.js';

/** The pull request that a run is about, as far as the event tells. */
export interface EventPullRequest {
  number: number;
  /** Commit at its head; empty when the event does not tell. */
  headSha: string;
  /** Whether the branch is in another repository; undefined when the event does not tell. */
  isFork: boolean | undefined;
  isClosed: boolean;
}

/**
 * Reads the pull request out of an event.
 *
 * @param given the input `pull-request`; 0 for none
 * @throws McprtError `preview-no-pull-request`
 */
export function pullRequestOf(event: unknown, repository: string, given: number): EventPullRequest {
  const fields = isRecord(event) ? event : {};
  const own = isRecord(fields.pull_request) ? fields.pull_request : undefined;
  if (own !== undefined) {
    const head = isRecord(own.head) ? own.head : {};
    return {
      number: Number(own.number),
      headSha: String(head.sha ?? ''),
      isFork: repositoryOf(head) !== repository,
      isClosed: fields.action === 'closed' || own.state === 'closed',
    };
  }
  const run = isRecord(fields.workflow_run) ? fields.workflow_run : undefined;
  const [first] = Array.isArray(run?.pull_requests) ? run.pull_requests.filter(isRecord) : [];
  const number = given || Number(first?.number ?? 0);
  if (number === 0) {
    throw new McprtError('preview-no-pull-request', {
      what: 'it is not known which pull request the preview is for',
      why: 'the event has none, and `pull-request` is not set: GitHub names none for a pull request from a fork',
      next: 'set `pull-request`, or run it on the event `pull_request`',
    });
  }
  if (run === undefined) return { number, headSha: '', isFork: undefined, isClosed: false };
  const head = isRecord(run.head_repository) ? run.head_repository.full_name : undefined;
  return { number, headSha: String(run.head_sha ?? ''), isFork: head !== repository, isClosed: false };
}

/** What GitHub says of a pull request. */
export interface PullRequestFacts {
  headSha: string;
  isFork: boolean;
  isClosed: boolean;
}

/** Reads GitHub's description of a pull request. */
export function factsOf(answer: unknown, repository: string): PullRequestFacts {
  const fields = isRecord(answer) ? answer : {};
  const head = isRecord(fields.head) ? fields.head : {};
  return {
    headSha: String(head.sha ?? ''),
    // Of a fork that was deleted there is no repository any more.
    isFork: repositoryOf(head) !== repository,
    isClosed: fields.state === 'closed',
  };
}

/**
 * Refuses a run in the name of another pull request: of a fork's run nothing but its commit is known for certain.
 *
 * @throws McprtError `preview-mismatch`
 */
export function requireSameCommit(event: EventPullRequest, facts: PullRequestFacts): void {
  if (event.headSha !== '' && event.headSha !== facts.headSha) {
    throw new McprtError('preview-mismatch', {
      what: `this run is not about the newest commit of pull request ${event.number}`,
      why: `it is about ${event.headSha.slice(0, 12)}, and the pull request is at ${facts.headSha.slice(0, 12) || 'no commit'}`,
      next: 'the run of the newer commit makes the preview; if there is none, the number in `pull-request` is another one’s',
    });
  }
}

/** Whether a pull request comes from another repository, by the event or by GitHub. */
export function isForeign(event: EventPullRequest, facts: PullRequestFacts): boolean {
  return event.isFork === true || facts.isFork;
}

/** Refuses to build a stranger's code where the secrets are. @throws McprtError `preview-fork` */
export function requireOwnCode(
  event: EventPullRequest,
  facts: PullRequestFacts,
  { builds }: { builds: boolean },
): void {
  if (isForeign(event, facts) && builds) {
    throw new McprtError('preview-fork', {
      what: 'code from a fork would be built where the secrets are',
      why: `pull request ${event.number} comes from another repository, and its Dockerfile runs whatever its author likes`,
      next: 'build it in a workflow on `pull_request`, which has no secrets, and give the image as `image-archive` to one on `workflow_run`: see docs/workflows.md#preview',
    });
  }
}

/** The length of what tells the previews of repositories apart. */
const markLength = 5;
const longestName = 63;

/** Name of the server of a preview: the same for each push to the pull request. */
export function previewName(repository: string, number: number, server: string): string {
  const [start, end] = [`pr-${number}-`, `-${repositoryMark(repository)}`];
  const room = longestName - start.length - end.length;
  return `${start}${withoutEnd(server.slice(0, room), '-')}${end}`;
}

/** What the names of a repository's previews end with. */
export function repositoryMark(repository: string): string {
  return createHash('sha256').update(repository.toLowerCase()).digest('hex').slice(0, markLength);
}

/** Name of the GitHub environment of a preview. */
export function previewEnvironment(number: number): string {
  return `preview/pr-${number}`;
}

function repositoryOf(head: Record<string, unknown>): string {
  return isRecord(head.repo) ? String(head.repo.full_name ?? '') : '';
}
