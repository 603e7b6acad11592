import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { readAtMost } from '../bounded.js';
import { McprtError, messageOf } from '../errors.js';
import { isPassingProxy } from '../proxy-error.js';
import { registryTokens, retryAfter } from './registry-token.js';
import type { RegistryAnswer, RegistryRoute } from './route.js';

const attempts = 5;
/** The limit that registries have for manifests; configs are smaller. In bytes. */
const largest = 4 * 1024 * 1024;
/** How long a registry's own wish to be left alone is followed, in s. */
const longestWait = 30;
/** A blob is one or two redirects away. */
const mostRedirects = 5;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Reads paths of a registry as its clients do: tries again what passes, shows a token where one is asked for, and goes where
 * the registry sends it.
 *
 * @param accept the media types that are asked for
 * @param firstPause ms before the second try; each further one is twice as long
 * @returns what reads a path; undefined for one that is not there
 * @throws McprtError as `ImageRegistry.find`
 */
export function registryReads(
  route: RegistryRoute,
  { accept, signal, firstPause }: { accept: string; signal: AbortSignal; firstPause: number },
): (path: string) => Promise<Buffer | undefined> {
  const tokens = registryTokens(route, signal);
  const ask = async (path: string): Promise<RegistryAnswer> => {
    const request = { method: 'GET', path, headers: { accept }, signal };
    const bearer = await tokens.current();
    const answer = await route.request({ ...request, ...(bearer === undefined ? {} : { bearer }) });
    const renewed = answer.status === 401 ? await tokens.renew(answer) : undefined;
    if (renewed === undefined) return answer;
    await leave(answer);
    return route.request({ ...request, bearer: renewed });
  };
  const follow = async (path: string): Promise<RegistryAnswer> => {
    let answer = await ask(path);
    let at = new URL(path, route.origin);
    for (let left = mostRedirects; redirects.includes(answer.status); left -= 1) {
      const target = [answer.headers.location ?? ''].flat()[0] ?? '';
      await leave(answer);
      if (left === 0 || !URL.canParse(target, at.href)) throw lost(route.name, path, left === 0);
      at = new URL(target, at);
      // The password is the registry's, and nobody's to whom it sends.
      answer =
        at.origin === new URL(route.origin).origin
          ? await ask(`${at.pathname}${at.search}`)
          : await route.elsewhere(at, { withCredentials: false, signal });
    }
    return answer;
  };
  return (path) =>
    pRetry(
      async () => {
        const answer = await follow(path);
        const body = await wholeBody(route.name, path, answer, signal);
        if (answer.status === 404) return undefined;
        if (answer.status < 300) return body;
        const wait = retryAfter(answer.headers['retry-after'], new Date());
        if (isBusy(answer.status) && wait > 0) {
          await sleep(Math.min(wait, longestWait) * 1000, undefined, { signal });
        }
        throw refusal(route.name, path, answer.status, body);
      },
      {
        retries: attempts - 1,
        minTimeout: firstPause,
        factor: 2,
        randomize: true,
        signal,
        shouldRetry: ({ error }) => isPassingProxy(error) || (error instanceof McprtError && isPassing(error.code)),
      },
    ).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
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

async function wholeBody(name: string, path: string, { body }: RegistryAnswer, signal: AbortSignal): Promise<Buffer> {
  const tooLarge = (): McprtError =>
    new McprtError('registry-refused', {
      what: `${name} sends more than ${largest / 1024 / 1024} MiB for GET ${path}`,
      why: 'no manifest and no configuration of an image is that large',
      next: 'check the name of the image, and what stands between this runner and the registry',
    });
  try {
    return await readAtMost(body, largest, tooLarge);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof McprtError) throw error;
    throw new McprtError('registry-unreachable', {
      what: `${name} broke off in the middle of its answer to GET ${path}`,
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

function refusal(name: string, path: string, status: number, body: Buffer): McprtError {
  const said = body.toString('utf8').slice(0, 200).trim();
  const what = `${name} answers ${status} to GET ${path}`;
  if (status === 401 || status === 403) {
    return new McprtError('registry-unauthorized', {
      what,
      why: said || 'it does not take the platform’s credentials',
      next: 'the password is UI_API_KEY of Secret mcp-sentinel/mcp-sentinel-secrets: when it was changed, restart mcp-platform-api, which checks it; or run action-setup',
    });
  }
  if (isBusy(status)) {
    return new McprtError('registry-busy', {
      what,
      why: said || 'it is overloaded, or restarts',
      next: 'look at the registry: `kubectl get pods -n registry`; then run it again',
    });
  }
  return new McprtError('registry-refused', {
    what,
    why: said || `status ${status}`,
    next: 'check the name of the image',
  });
}
