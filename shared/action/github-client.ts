import { Octokit } from '@octokit/core';
import { paginateRest } from '@octokit/plugin-paginate-rest';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import Bottleneck from 'bottleneck/light.js';
import { readAtMost } from '../bounded.js';
import { type HttpRequest, httpFetch } from '../http.js';
import { direct, type Proxies } from '../proxy.js';
import { withoutEnd } from '../text.js';

/** Where GitHub's API is, and who asks. */
export interface GithubAccess {
  apiUrl: string;
  token: string;
  /** Ends every call, and every wait for one. */
  signal?: AbortSignal;
  proxies?: Proxies;
}

/** Of one attempt, in ms. */
const deadline = 30_000;
const retries = 2;
/** Told to wait longer than this, in seconds, a job had better end and say so. */
const longestPause = 120;
/** Of one answer: a page of a hundred comments of full length has 7 MiB. In bytes. */
const longestAnswer = 32 * 1024 * 1024;

/**
 * GitHub asks for a second between writes, and counts 80 a minute that somebody is told of. A run has a few, which need not
 * wait; whoever has hundreds gets one a second.
 */
const writes = {
  maxConcurrent: 1,
  reservoir: 20,
  reservoirIncreaseAmount: 5,
  reservoirIncreaseInterval: 5_000,
  reservoirIncreaseMaximum: 20,
};
const groups = { write: new Bottleneck.Group(writes), notifications: new Bottleneck.Group(writes) };

const Client = Octokit.plugin(paginateRest, retry, throttling);

/** Octokit with its plugins for retry, throttling and paging. */
export type GithubClient = InstanceType<typeof Client>;

/** A client that waits as GitHub asks, tries again what may pass, and is bounded in bytes and time. */
export function openGithubClient({ apiUrl, token, signal, proxies = direct }: GithubAccess): GithubClient {
  const isShort = (seconds: number, _: unknown, __: unknown, retried: number): boolean =>
    seconds <= longestPause && retried < retries;
  return new Client({
    auth: token,
    baseUrl: withoutEnd(apiUrl, '/'),
    userAgent: 'mcprt',
    retry: { retries, retryAfterBaseValue: 500, doNotRetry: [400, 401, 403, 404, 409, 410, 422, 451] },
    throttle: { ...groups, id: token, onRateLimit: isShort, onSecondaryRateLimit: isShort },
    request: { fetch: boundedFetch(proxies), ...(signal ? { signal } : {}) },
  });
}

/** Fetches with a deadline for each attempt and a limit for each answer; an answer that breaks off is none. */
function boundedFetch(proxies: Proxies): (url: string, request: HttpRequest) => Promise<Response> {
  return async (url, request) => {
    const own = AbortSignal.timeout(deadline);
    const signal = request.signal ? AbortSignal.any([request.signal, own]) : own;
    const answer = await httpFetch(url, { ...request, signal }, proxies);
    if (answer.body === null) return answer;
    const bytes = await readAtMost(answer.body, longestAnswer, () => new Error('an answer that does not end'));
    const { status, headers } = answer;
    return new Response(new Uint8Array(bytes), { status, headers });
  };
}
