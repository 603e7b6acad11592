import pRetry from 'p-retry';
import type { ErrorCode } from '../errors.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
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
  for (let page = 1; page <= mostPages; page += 1) {
    const query = `${path.includes('?') ? '&' : '?'}per_page=${perPage}&page=${page}`;
    const items = await askGithub(api, 'GET', `${path}${query}`);
    if (!Array.isArray(items)) break;
    found.push(...items);
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
      const text = await answer.text();
      if (answer.status >= 300) throw new GithubRefusal(answer.status, `${answer.status}: ${text.slice(0, 200)}`);
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    },
    {
      retries,
      minTimeout: 500,
      shouldRetry: ({ error }) => !(error instanceof GithubRefusal) || error.status >= 500 || error.status === 429,
    },
  );
}

/** A refusal as an error that names the permission that the job lacks. Other errors are passed on. */
export function githubError(
  error: unknown,
  { code, what, next }: { code: ErrorCode; what: string; next: string },
): unknown {
  if (!(error instanceof GithubRefusal)) return error;
  return new McprtError(code, { what, why: error.message, next, cause: error });
}

/**
 * Whether something was written by whom the token is: anybody can write a marker into a text of their own. A job's token
 * may not ask who it is, and writes as a bot.
 */
export async function ownAuthor(api: GithubApi): Promise<(user: unknown) => boolean> {
  const me = await askUrl(api, 'GET', `${api.apiUrl}/user`).catch(() => undefined);
  const login = isRecord(me) && typeof me.login === 'string' ? me.login : undefined;
  return (user) => isRecord(user) && (login === undefined ? user.type === 'Bot' : user.login === login);
}
