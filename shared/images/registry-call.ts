import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { readAtMost } from '../bounded.js';
import { recordsAt, textAt } from '../cluster/fields.js';
import { type ErrorCode, McprtError, messageOf } from '../errors.js';
import { parsedJson } from '../json.js';
import { isPassingProxy } from '../proxy-error.js';
import { retryAfter } from '../retry-after.js';
import { registryTokens } from './registry-token.js';
import type { RegistryAnswer, RegistryRequest, RegistryRoute } from './route.js';

/** What a registry has answered. */
export interface RegistryReply {
  status: number;
  headers: RegistryAnswer['headers'];
  body: Buffer;
}

/** A registry's answer that is a refusal. */
export class RegistryRefusal extends McprtError {
  readonly status: number;
  /** What the registry calls it, such as NAME_UNKNOWN; empty where its answer is not a registry's. */
  readonly words: readonly string[];

  constructor(code: ErrorCode, text: { what: string; why: string; next: string }, status: number, body: Buffer) {
    super(code, text);
    this.status = status;
    const errors = recordsAt(parsedJson(body.toString('utf8')), 'errors');
    this.words = errors.slice(0, 8).map((one) => textAt(one, 'code').slice(0, 60));
  }
}

export interface RegistryCalls {
  /** In words, for messages. */
  name: string;
  /** Where its paths are. */
  origin: string;
  /**
   * Asks once.
   *
   * @param accepted which statuses beside those of success are answers
   * @param most of the answer, in bytes; without it, what a manifest may have
   * @throws McprtError `registry-unreachable`, `registry-busy`, `registry-unauthorized`, `registry-refused`; the signal's reason
   */
  ask(
    asked: Omit<RegistryRequest, 'signal' | 'body'> & { body?: Readable | Buffer },
    accepted?: readonly number[],
    most?: number,
  ): Promise<RegistryReply>;
  /** Does it again where what keeps it from going may pass. @throws what it throws; the signal's reason */
  retrying<T>(attempt: () => Promise<T>): Promise<T>;
}

const attempts = 5;
/** The limit that registries have for manifests; configs are smaller. In bytes. */
const largest = 4 * 1024 * 1024;
/** How long a registry's own wish to be left alone is followed, in s. */
const longestWait = 30;

/** A blob is one or two redirects away. */
const mostRedirects = 5;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Speaks with a registry as its clients do: shows a token where one is asked for, and reads where the registry sends it.
 *
 * @param signal ends every request
 * @param firstPause ms before the second try; each further one is twice as long
 * @param scope what a token is asked for, as `repository:NAME:pull,push`; without it, what the registry names
 */
export function registryCalls(
  route: RegistryRoute,
  signal: AbortSignal,
  firstPause = 300,
  scope?: string,
): RegistryCalls {
  const { name, origin } = route;
  const tokens = registryTokens(route, signal, scope);
  const send = async (request: RegistryRequest): Promise<RegistryAnswer> => {
    const bearer = await tokens.current();
    const answer = await route.request({ ...request, signal, ...(bearer === undefined ? {} : { bearer }) });
    // What has flowed once does not flow again; before a stream there was a question without one.
    const canRepeat = request.body === undefined || Buffer.isBuffer(request.body);
    const renewed = answer.status === 401 && canRepeat ? await tokens.renew(answer) : undefined;
    if (renewed === undefined) return answer;
    await leave(answer);
    return route.request({ ...request, signal, bearer: renewed });
  };
  const read = async (request: RegistryRequest): Promise<RegistryAnswer> => {
    let answer = await send(request);
    let at = new URL(request.path, route.origin);
    for (let left = mostRedirects; redirects.includes(answer.status); left -= 1) {
      const target = [answer.headers.location ?? ''].flat()[0] ?? '';
      await leave(answer);
      if (left === 0 || !URL.canParse(target, at.href)) throw lost(name, request.path, left === 0);
      at = new URL(target, at);
      // The password is the registry's, and nobody's to whom it sends.
      answer =
        at.origin === new URL(route.origin).origin
          ? await send({ ...request, path: `${at.pathname}${at.search}` })
          : await route.elsewhere(at, { withCredentials: false, signal });
    }
    return answer;
  };
  return {
    name,
    origin,
    async ask({ method, path, ...more }, accepted = [], most = largest) {
      const what = `${method} ${path.replace(/\?.*/, '')}`;
      const request = { method, path, ...more };
      const answer = method === 'GET' ? await read(request) : await send(request);
      const { status, headers } = answer;
      const body = await wholeBody(name, what, answer, { signal, most });
      if (status < 300 || accepted.includes(status)) return { status, headers, body };
      const wait = retryAfter(headers['retry-after'], new Date()) ?? 0;
      if (isBusy(status) && wait > 0) await sleep(Math.min(wait, longestWait) * 1000, undefined, { signal });
      throw refusal(name, what, status, body);
    },
    retrying: (attempt) =>
      pRetry(attempt, {
        retries: attempts - 1,
        minTimeout: firstPause,
        factor: 2,
        randomize: true,
        signal,
        shouldRetry: ({ error }) => isPassingProxy(error) || (error instanceof McprtError && isPassing(error.code)),
      }).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : error;
      }),
  };
}

/** Takes what is left of an answer that nobody reads, so that its connection can be used again. */
async function leave({ body }: RegistryAnswer): Promise<void> {
  await readAtMost(body, largest, () => new Error('too much')).catch(() => undefined);
}

function lost(name: string, path: string, tooMany: boolean): McprtError {
  return new McprtError('registry-refused', {
    what: `${name} sends in circles for GET ${path}`,
    why: tooMany ? `after ${mostRedirects} redirects there was still no answer` : 'a redirect of it leads nowhere',
    next: 'look at what stands before the registry; `registry-access: port-forward` goes around it',
  });
}

async function wholeBody(
  name: string,
  what: string,
  { body }: RegistryAnswer,
  { signal, most }: { signal: AbortSignal; most: number },
): Promise<Buffer> {
  const tooLarge = (): McprtError =>
    new McprtError('registry-refused', {
      what: `${name} sends more than ${Math.ceil(most / 1024 / 1024)} MiB for ${what}`,
      why: 'no manifest and no configuration of an image is that large',
      next: 'check the name of the image, and what stands between this machine and the registry',
    });
  try {
    return await readAtMost(body, most, tooLarge);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof McprtError) throw error;
    throw new McprtError('registry-unreachable', {
      what: `${name} broke off in the middle of its answer to ${what}`,
      why: messageOf(error),
      next: 'look at the registry’s pod (`kubectl get pods -n registry`) and at what stands before it; then run it again',
      cause: error,
    });
  }
}

function isPassing(code: string): boolean {
  return code === 'registry-unreachable' || code === 'registry-busy';
}

function isBusy(status: number): boolean {
  return status === 429 || status >= 500;
}

function refusal(name: string, asked: string, status: number, body: Buffer): RegistryRefusal {
  const said = body.toString('utf8').slice(0, 200).trim();
  const what = `${name} answers ${status} to ${asked}`;
  const told = (code: ErrorCode, why: string, next: string): RegistryRefusal =>
    new RegistryRefusal(code, { what, why: said || why, next }, status, body);
  if (status === 401 || status === 403) {
    return told(
      'registry-unauthorized',
      'it does not take the platform’s credentials',
      'the password is UI_API_KEY of Secret mcp-sentinel/mcp-sentinel-secrets: when it was changed, restart mcp-platform-api, which checks it; or run action-setup',
    );
  }
  if (isBusy(status)) {
    return told(
      'registry-busy',
      'it is overloaded, or restarts',
      'look at the registry: `kubectl get pods -n registry`; then run it again',
    );
  }
  return told('registry-refused', `status ${status}`, 'check the name of the image');
}
