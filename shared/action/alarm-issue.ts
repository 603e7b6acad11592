import { githubError } from '../github-refusal.js';
import { isRecord } from '../json.js';
import { askGithub, type GithubApi, listGithub, ownAuthor } from './github-api.js';

/** Something that must not stay as it is, told by an issue of the repository for as long as it lasts. */
export interface Alarm {
  /** Tells the issue from others; it is not shown. */
  marker: string;
  title: string;
  /** Short name of what is wrong, such as an error code: while it stays the same, nothing more is written. */
  state: string;
  /** Markdown, with no secret in it. */
  markdown: string;
}

/** What became of the issue. */
export type AlarmIssue = { number: number; done: 'opened' | 'changed' | 'unchanged' | 'closed' };

interface Found {
  number: number;
  body: string;
}

/**
 * Opens the one issue of an alarm; where it is open, changes it and comments on it if the state is another one.
 *
 * @throws McprtError `github-issue`
 */
export async function raiseAlarm(api: GithubApi, { marker, title, state, markdown }: Alarm): Promise<AlarmIssue> {
  const body = `${markOf(marker)}\n${stateMark(state)}\n${markdown}`;
  return telling(async () => {
    const [open] = await openIssues(api, marker);
    if (open !== undefined) {
      const { number } = open;
      if (open.body.startsWith(`${markOf(marker)}\n${stateMark(state)}\n`)) return { number, done: 'unchanged' };
      await askGithub(api, 'PATCH', `/issues/${number}`, { title, body });
      await askGithub(api, 'POST', `/issues/${number}/comments`, { body: markdown });
      return { number, done: 'changed' };
    }
    const made = numberOf(await askGithub(api, 'POST', '/issues', { title, body }));
    // Another run may have opened its own at the same moment: the older one stays.
    const [first = made, ...others] = (await openIssues(api, marker)).map(({ number }) => number);
    if (others.includes(made)) await close(api, made, 'not_planned');
    return { number: Math.min(first, made), done: 'opened' };
  });
}

/**
 * Closes the issue of an alarm that is over, and says why.
 *
 * @returns undefined where none was open
 * @throws McprtError `github-issue`
 */
export async function endAlarm(api: GithubApi, marker: string, markdown: string): Promise<AlarmIssue | undefined> {
  return telling(async () => {
    const open = await openIssues(api, marker);
    for (const { number } of open) {
      await askGithub(api, 'POST', `/issues/${number}/comments`, { body: markdown });
      await close(api, number, 'completed');
    }
    const [first] = open;
    return first && { number: first.number, done: 'closed' };
  });
}

/** Our own open issues of an alarm, the oldest first. GitHub lists pull requests among them. */
async function openIssues(api: GithubApi, marker: string): Promise<Found[]> {
  const isOwn = await ownAuthor(api);
  const listed = await listGithub(api, '/issues?state=open&sort=created&direction=asc');
  return listed
    .flatMap((one): Found[] =>
      isRecord(one) &&
      typeof one.number === 'number' &&
      typeof one.body === 'string' &&
      one.pull_request === undefined &&
      one.body.startsWith(`${markOf(marker)}\n`) &&
      isOwn(one.user)
        ? [{ number: one.number, body: one.body }]
        : [],
    )
    .sort((a, b) => a.number - b.number);
}

function close(api: GithubApi, number: number, reason: 'completed' | 'not_planned'): Promise<unknown> {
  return askGithub(api, 'PATCH', `/issues/${number}`, { state: 'closed', state_reason: reason });
}

function markOf(marker: string): string {
  return `<!-- mcprt: ${marker} -->`;
}

function stateMark(state: string): string {
  return `<!-- state: ${state} -->`;
}

function numberOf(made: unknown): number {
  if (!isRecord(made) || typeof made.number !== 'number')
    throw new Error('GitHub’s answer to a new issue has no number');
  return made.number;
}

async function telling<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw githubError(error, {
      code: 'github-issue',
      what: 'the issue that tells of this cannot be written',
      next: 'give the job `permissions: issues: write`, and see whether the repository has issues switched on; or set `issue: false`',
    });
  }
}
