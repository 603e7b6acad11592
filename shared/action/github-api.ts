import pRetry from 'p-retry';
import { readAtMost } from '../bounded.js';
import { textAt } from '../cluster/fields.js';
import type { ErrorCode } from '../errors.js';
import { McprtError } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import { withoutEnd } from '../text.js';
import { hidden } from './mask.js';

/** Where GitHub's API is, and who asks. */
export interface GithubApi {
  apiUrl: string;
  token: string;
  /** owner/name */
  repository: string;
}

const deadline = 10_000;
const retries = 2;
/** More pages than this nobody has written comments on a pull request, or opened issues. */
const mostPages = 50;
const perPage = 100;
/** Of one answer: a page of a hundred comments of full length has 7 MiB. In bytes. */
const longestAnswer = 32 * 1024 * 1024;
/** Of all pages of a list, in characters of its JSON. */
const longestList = 64 * 1024 * 1024;

/** An answer of GitHub's that is a refusal. It holds no token. */
export class GithubRefusal extends Error {
  readonly status: number;

  constructor(status: number, told: string) {
    super(told);
    this.status = status;
  }
}

/**
 * Asks GitHub's API, and again when the answer may pass.
 *
 * @param path below the repository
 * @throws GithubRefusal, and what fetch throws
 */
export async function askGithub(
  api: GithubApi,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  return askUrl(api, method, `${api.apiUrl}/repos/${api.repository}${path}`, body);
}

/** All pages of a list. @throws as askGithub */
export async function listGithub(api: GithubApi, path: string): Promise<unknown[]> {
  const found: unknown[] = [];
  let length = 0;
  for (let page = 1; page <= mostPages; page += 1) {
    const query = `${path.includes('?') ? '&' : '?'}per_page=${perPage}&page=${page}`;
    const items = await askGithub(api, 'GET', `${path}${query}`);
    if (!Array.isArray(items)) break;
    for (const item of items) found.push(item);
    length += JSON.stringify(items).length;
    if (length > longestList) throw new GithubRefusal(200, 'the list does not end');
    if (items.length < perPage) break;
  }
  return found;
}

/** Asks an address outside of the repository, as askGithub does. */
export async function askUrl(
  { token }: Pick<GithubApi, 'token'>,
  method: string,
  url: string,
  body?: unknown,
): Promise<unknown> {
  return pRetry(
    async () => {
      const answer = await fetch(url, {
        method,
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${token}`,
          'x-github-api-version': '2022-11-28',
          'content-type': 'application/json',
          'user-agent': 'mcprt',
        },
        ...(body === undefined ? {} : { body: JSON.stringify(hidden(body)) }),
        signal: AbortSignal.timeout(deadline),
      });
      const text = await textOf(answer);
      if (answer.status >= 300) throw new GithubRefusal(answer.status, `${answer.status}: ${text.slice(0, 200)}`);
      if (text === '') return undefined;
      const parsed = parsedJson(text);
      if (parsed === undefined) throw new GithubRefusal(answer.status, `${answer.status}, and what came is no JSON`);
      return parsed;
    },
    {
      retries,
      minTimeout: 500,
      shouldRetry: ({ error }) => !(error instanceof GithubRefusal) || error.status >= 500 || error.status === 429,
    },
  );
}

async function textOf({ status, body }: Response): Promise<string> {
  if (body === null) return '';
  const tooLong = (): Error => new GithubRefusal(status, `${status}, and an answer that does not end`);
  return (await readAtMost(body, longestAnswer, tooLong)).toString('utf8');
}

/** A refusal as an error that names the permission that the job lacks. Other errors are passed on. */
export function githubError(
  error: unknown,
  { code, what, next }: { code: ErrorCode; what: string; next: string },
): unknown {
  if (!(error instanceof GithubRefusal)) return error;
  return new McprtError(code, { what, why: error.message, next, cause: error });
}

/** Who a job's own token writes as, where nobody tells. */
const jobAuthor = 'github-actions[bot]';

/**
 * Whether something was written by whom the token is: anybody can write a marker into a text of their own, and anybody can
 * have an app, which is a bot. The token of a job, or of an app, may not ask who its user is, but who looks.
 */
export async function ownAuthor(api: GithubApi): Promise<(user: unknown) => boolean> {
  const me = await askUrl(api, 'GET', `${api.apiUrl}/user`).catch(() => undefined);
  const login = textAt(me, 'login') || (await viewerOf(api)) || jobAuthor;
  return (user) => isRecord(user) && user.login === login;
}

async function viewerOf(api: GithubApi): Promise<string> {
  const url = `${withoutEnd(api.apiUrl, '/').replace(/\/v3$/, '')}/graphql`;
  const answer = await askUrl(api, 'POST', url, { query: '{ viewer { login } }' }).catch(() => undefined);
  return textAt(answer, 'data', 'viewer', 'login');
}
