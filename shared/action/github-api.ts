import { textAt } from '../cluster/fields.js';
import { McprtError, messageOf } from '../errors.js';
import { GithubRefusal } from '../github-refusal.js';
import { isRecord, parsedJson } from '../json.js';
import { withoutEnd } from '../text.js';
import type { GithubAccess, GithubClient } from './github-client.js';
import { hidden } from './mask.js';

/** Where GitHub's API is, who asks, and of which repository. */
export interface GithubApi extends GithubAccess {
  /** owner/name */
  repository: string;
}

export type GithubMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** More pages than this nobody has written comments on a pull request, or opened issues. */
const mostPages = 50;
const perPage = 100;
/** Of all pages of a list, in characters of its JSON. */
const longestList = 64 * 1024 * 1024;

/** An answer of GitHub's. */
export interface GithubAnswer {
  /** What its body holds; undefined when there is none. */
  data: unknown;
  /** Where a redirect, which is not followed, leads. */
  location: string;
}

/**
 * Asks GitHub's REST API, and again when the answer may pass or tells to wait a little.
 *
 * @param path below the repository, or an address
 * @throws GithubRefusal, and the signal's reason
 */
export async function githubAnswer(
  api: GithubApi,
  method: GithubMethod,
  path: string,
  body?: unknown,
): Promise<GithubAnswer> {
  return asked(api, async (octokit) => {
    const { status, headers, data } = await octokit.request({
      method,
      url: addressOf(api, path),
      headers: { 'x-github-api-version': '2022-11-28' },
      // Octokit reads JSON with a parser for numbers of any length, which takes ten times as long.
      request: { redirect: 'manual', parseSuccessResponseBody: false },
      ...(body === undefined ? {} : { data: hidden(body) }),
    });
    return {
      data: bodyOf(status, await new Response(data as ReadableStream | '' | null).text()),
      location: headers.location ?? '',
    };
  });
}

/** What the body of an answer holds. @throws as githubAnswer */
export async function askGithub(api: GithubApi, method: GithubMethod, path: string, body?: unknown): Promise<unknown> {
  return (await githubAnswer(api, method, path, body)).data;
}

/** All pages of a list. @throws as githubAnswer */
export async function listGithub(api: GithubApi, path: string): Promise<unknown[]> {
  return asked(api, async (octokit) => {
    const found: unknown[] = [];
    let pages = 0;
    let length = 0;
    const separator = path.includes('?') ? '&' : '?';
    const first = `${addressOf(api, path)}${separator}per_page=${perPage}`;
    for await (const { status, data } of octokit.paginate.iterator(`GET ${first}`)) {
      const items = bodyOf(status, data);
      if (!Array.isArray(items)) break;
      for (const item of items) found.push(item);
      pages += 1;
      length += JSON.stringify(items).length;
      if (length > longestList) throw new GithubRefusal(status, 'refused', 'the list does not end');
      if (pages === mostPages) break;
    }
    return found;
  });
}

function addressOf({ apiUrl, repository }: GithubApi, path: string): string {
  return /^https?:/.test(path) ? path : `${withoutEnd(apiUrl, '/')}/repos/${repository}${path}`;
}

async function asked<T>(api: GithubApi, ask: (octokit: GithubClient) => Promise<T>): Promise<T> {
  const { signal } = api;
  signal?.throwIfAborted();
  let stop = (): void => undefined;
  // A pause between two attempts hears no signal by itself.
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', stop, { once: true });
  });
  try {
    // Loaded by the first question: whoever asks nothing starts sooner.
    const { openGithubClient } = await import('./github-client.js');
    return await Promise.race([ask(openGithubClient(api)), stopped]);
  } catch (error) {
    signal?.throwIfAborted();
    throw refusalOf(error);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function bodyOf(status: number, data: unknown): unknown {
  if (typeof data !== 'string') return data;
  if (data === '') return undefined;
  const parsed = parsedJson(data);
  if (parsed === undefined) throw away(status, `${status}, and what came is no JSON`);
  return parsed;
}

function away(status: number, told: string): GithubRefusal {
  const next = 'run it again; see githubstatus.com, and whether a proxy or firewall stands between';
  return new GithubRefusal(status, 'away', told, next);
}

function refusalOf(error: unknown): unknown {
  const status = isRecord(error) ? error.status : undefined;
  if (!(error instanceof Error) || typeof status !== 'number') return error;
  const answer = isRecord(error) && isRecord(error.response) ? error.response : undefined;
  const { cause } = error;
  if (cause instanceof McprtError) return new GithubRefusal(0, 'away', `${cause.message}: ${cause.why}`, cause.next);
  if (answer === undefined) return away(0, `no answer: ${messageOf(error)}`);
  const told = `${status}: ${messageOf(error).slice(0, 200)}`;
  const wait = pauseOf(status, answer.headers, error.message);
  if (wait !== undefined) {
    return new GithubRefusal(status, 'rate-limited', `${told} (too many calls)`, `run it again in ${wait}`);
  }
  if (status >= 500) return away(status, told);
  return new GithubRefusal(status, status === 401 || status === 403 || status === 404 ? 'forbidden' : 'refused', told);
}

/** How long GitHub asks to wait, in words; undefined where that is not what it refuses for. */
function pauseOf(status: number, headers: unknown, message: string): string | undefined {
  const told = isRecord(headers) ? headers : {};
  const after = Number(told['retry-after']);
  if (after > 0) return `${after} s`;
  const isSpent = told['x-ratelimit-remaining'] === '0';
  const reset = Number(told['x-ratelimit-reset']);
  if (isSpent && reset > 0) return `${Math.max(Math.ceil(reset / 60 - Date.now() / 60_000), 1)} min`;
  return isSpent || status === 429 || /\brate limit\b/i.test(message) ? 'some minutes' : undefined;
}

/** Who a job's own token writes as, where nobody tells. */
const jobAuthor = 'github-actions[bot]';

/**
 * Whether something was written by whom the token is: anybody can write a marker into a text of their own, and anybody can
 * have an app, which is a bot. The token of a job, or of an app, may not ask who its user is, but who looks.
 */
export async function ownAuthor(api: GithubApi): Promise<(user: unknown) => boolean> {
  const me = await askGithub(api, 'GET', `${withoutEnd(api.apiUrl, '/')}/user`).catch(() => undefined);
  const login = textAt(me, 'login') || (await viewerOf(api)) || jobAuthor;
  return (user) => isRecord(user) && user.login === login;
}

async function viewerOf(api: GithubApi): Promise<string> {
  const url = `${withoutEnd(api.apiUrl, '/').replace(/\/v3$/, '')}/graphql`;
  const answer = await askGithub(api, 'POST', url, { query: '{ viewer { login } }' }).catch(() => undefined);
  return textAt(answer, 'data', 'viewer', 'login');
}
