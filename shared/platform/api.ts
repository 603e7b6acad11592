import { type ErrorCode, McprtError } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import { pause as sleep } from '../pause.js';
import { isPassingProxy } from '../proxy-error.js';
import { describe, type Web, type WebAnswer, WebError, type WebRequest } from './web.js';

/** Who calls: a service key, which is nobody in person, or somebody with a password. */
export type Caller = { key: string } | { email: string; password: string };

export interface ApiAnswer {
  status: number;
  /** What the body holds; undefined when it is no JSON. */
  body: unknown;
  /** The request and its answer in a line, for an error. */
  told: string;
}

export interface CallOptions {
  body?: unknown;
  /** For each attempt, in ms. */
  deadline?: number;
  /** Statuses that are an answer; every other one is thrown. All of 2xx when left out. */
  accept?: readonly number[];
  /** Whether an answer that may pass is asked for again. */
  retry?: boolean;
  /** Sent instead of `body`: of unknown length, and sent once. */
  stream?: Pick<WebRequest, 'body' | 'headers'>;
}

/** The platform's API as one caller. */
export interface ApiCaller {
  /**
   * Asks, and asks again for a short while when the answer is one that passes (a pod that starts, a registry of keys
   * that is not reached), never when it is wrong.
   *
   * @throws McprtError `smoke-unauthorized`, `smoke-forbidden`, `smoke-limit`, `smoke-server-error`, `smoke-refused`,
   *   and of the way to the platform `smoke-dns`, `smoke-tcp`, `smoke-tls`, `smoke-timeout`
   */
  call(method: string, path: string, options?: CallOptions): Promise<ApiAnswer>;
  /** Who this is. Logs in when it has not yet. @throws McprtError `smoke-login`, `smoke-login-locked` */
  person(): Promise<Person>;
  /** Logs in again with the next call: teams are frozen in a token. */
  forget(): void;
}

export interface Person {
  id: string;
  email: string;
  role: string;
}

export interface PlatformApi {
  host: string;
  /** `/api/v1`, or `/api` in the layout mono. */
  base: string;
  as(caller: Caller): ApiCaller;
}

export interface ApiPorts {
  web: Web;
  signal: AbortSignal;
  mask: (secret: string) => void;
  progress: (line: string) => void;
}

/** Pauses between attempts, in ms. */
const pauses = [500, 1_000, 2_000, 4_000];
/** How long a login waits for the platform to unlock this address: it locks it after failures, for all of a runner. */
const lockWait = { deadline: 75_000, pause: 5_000 };
/** A token is renewed this long before it ends, in ms. */
const renewBefore = 120_000;

/**
 * Finds the API behind the platform's public name, in either layout.
 *
 * @throws McprtError `smoke-api`; of the way there see ApiCaller
 */
export async function findApi(host: string, ports: ApiPorts): Promise<PlatformApi> {
  const seen: string[] = [];
  for (const base of ['/api/v1', '/api']) {
    const path = `${base}/auth/me`;
    const answer = await patiently(
      () => ask(ports.web, { method: 'GET', host, path, signal: ports.signal }),
      ports.signal,
      true,
    );
    const { status, body, told } = answerOf(answer, { method: 'GET', host, path });
    if (status === 401 && isRecord(body) && typeof body.error === 'string') {
      return { host, base, as: (caller) => apiCaller(caller, { host, base, ports }) };
    }
    seen.push(told);
  }
  throw new McprtError('smoke-api', {
    what: `https://${host} has no platform API`,
    why: seen.join('\n'),
    next: 'a healthy API answers 401 with JSON there: look at the Ingresses and the API’s pods: `kubectl get ingress,pods -n mcp-sentinel`',
  });
}

interface Wiring {
  host: string;
  base: string;
  ports: ApiPorts;
}

interface Token {
  text: string;
  until: number;
  person: Person;
}

function apiCaller(caller: Caller, { host, base, ports }: Wiring): ApiCaller {
  let token: Promise<Token> | undefined;
  const login = (): Promise<Token> => {
    if (!('email' in caller)) throw new TypeError('a service key is nobody in person');
    token ??= logIn(caller, { host, base, ports }).catch((error: unknown) => {
      token = undefined;
      throw error;
    });
    return token;
  };
  const headers = async (): Promise<Record<string, string>> => {
    if ('key' in caller) return { 'x-api-key': caller.key };
    if (token !== undefined && (await token).until < Date.now()) token = undefined;
    // The token only: with `x-api-key` beside it every call would hang on a second service.
    return { authorization: `Bearer ${(await login()).text}` };
  };
  return {
    async call(method, path, { body, deadline, accept, retry = true, stream } = {}) {
      const full = `${base}${path}`;
      const text = body === undefined ? undefined : JSON.stringify(body);
      const attempt = async (): Promise<WebAnswer> =>
        ask(ports.web, {
          method,
          host,
          path: full,
          headers: {
            ...(await headers()),
            ...(text === undefined ? {} : { 'content-type': 'application/json' }),
            ...stream?.headers,
          },
          ...(text === undefined ? {} : { body: text }),
          ...(stream?.body === undefined ? {} : { body: stream.body }),
          ...(deadline === undefined ? {} : { deadline }),
          signal: ports.signal,
        });
      const answer =
        retry && stream === undefined ? await patiently(attempt, ports.signal, method === 'GET') : await attempt();
      const found = answerOf(answer, { method, host, path: full });
      const isAccepted =
        accept === undefined ? found.status >= 200 && found.status < 300 : accept.includes(found.status);
      if (!isAccepted) throw refusal(found);
      return found;
    },
    person: async () => (await login()).person,
    forget() {
      token = undefined;
    },
  };
}

async function logIn({ email, password }: { email: string; password: string }, wiring: Wiring): Promise<Token> {
  const { host, base, ports } = wiring;
  const request = { method: 'POST', host, path: `${base}/auth/login` };
  const end = Date.now() + lockWait.deadline;
  for (let isTold = false; ; isTold = true) {
    const answer = await patiently(
      () =>
        ask(ports.web, {
          ...request,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ email, password }),
          signal: ports.signal,
        }),
      ports.signal,
      true,
    );
    const { status, body, told } = answerOf(answer, request);
    if (status === 429 && Date.now() < end) {
      if (!isTold) ports.progress(`the platform has locked this address after failed logins; waiting for it to pass`);
      await sleep(lockWait.pause, ports.signal);
      continue;
    }
    if (status === 429) {
      throw new McprtError('smoke-login-locked', {
        what: `the platform lets nobody log in from this address, ${email} neither`,
        why: `${told}: it locks an address from the third failed login, for all who share it, and for up to 5 min`,
        next: 'find who fails to log in from here (others may share its address), and run it again later',
      });
    }
    const token = isRecord(body) ? body.access_token : undefined;
    const user = isRecord(body) && isRecord(body.user) ? body.user : {};
    if (status !== 200 || typeof token !== 'string') {
      throw new McprtError('smoke-login', {
        what: `${email} cannot log in`,
        why: told,
        next:
          status === 401
            ? 'correct the password; the platform has no way to change it through its API, so a user with another one needs another e-mail (`team-prefix`)'
            : 'look at the platform API’s log: `kubectl logs -n mcp-sentinel deployment/mcp-platform-api` (mcp-sentinel-api in the layout mono)',
      });
    }
    ports.mask(token);
    const seconds = isRecord(body) && typeof body.expires_in === 'number' ? body.expires_in : 900;
    const text = (name: string): string => (typeof user[name] === 'string' ? user[name] : '');
    return {
      text: token,
      until: Date.now() + Math.max(seconds * 1000 - renewBefore, (seconds * 1000) / 2),
      person: { id: text('id'), email: text('email'), role: text('role') },
    };
  }
}

/** Asks, and tells a failure on the way as an error of ours. */
async function ask(web: Web, request: WebRequest): Promise<WebAnswer> {
  try {
    return await web.ask(request);
  } catch (error) {
    throw error instanceof WebError ? unreachable(error) : error;
  }
}

const codes: Record<WebError['layer'], ErrorCode> = {
  dns: 'smoke-dns',
  tcp: 'smoke-tcp',
  tls: 'smoke-tls',
  timeout: 'smoke-timeout',
  size: 'smoke-size',
};

/** What a failure on the way to a public name is to a reader. */
export function unreachable({ layer, asked, message, cause }: WebError): McprtError {
  const host = /https:\/\/([^/]+)/.exec(asked)?.[1] ?? '';
  const texts: Record<WebError['layer'], { what: string; next: string }> = {
    dns: { what: `${host} has no address`, next: `look at its DNS record: \`dig ${host}\`` },
    tcp: {
      what: `${host} cannot be reached`,
      next: 'look at Traefik and its load balancer: `kubectl get pods -n kube-system`; a firewall may be between',
    },
    tls: {
      what: `${host} serves a certificate that is not accepted`,
      next: 'run the suite `health`: it looks at the certificate; a staging CA goes into `ca-bundle`',
    },
    size: {
      what: `${host} answers without an end`,
      next: 'look at what answers there: a page or a file answers instead of the API',
    },
    timeout: { what: `${host} does not answer in time`, next: 'look at the pods behind it, and at the node’s load' },
  };
  return new McprtError(codes[layer], { ...texts[layer], why: `${asked}: ${message}`, cause });
}

/**
 * Asks what changes nothing, and again while a service is being restarted or a connection breaks.
 *
 * @throws McprtError `smoke-dns`, `smoke-tcp`, `smoke-tls`, `smoke-timeout`; the signal's reason
 */
export function look(web: Web, request: WebRequest & { method: 'GET' }): Promise<WebAnswer> {
  return patiently(() => ask(web, request), request.signal, true);
}

/** Whether an answer is that of a service that is being restarted, and will be another one soon. */
function passes({ status, text }: WebAnswer): boolean {
  return [502, 503, 504].includes(status) || (status === 500 && text.includes('auth_failed'));
}

/** @param isSafe whether what may have arrived before a connection broke may be asked a second time */
async function patiently(attempt: () => Promise<WebAnswer>, signal: AbortSignal, isSafe: boolean): Promise<WebAnswer> {
  for (const pause of pauses) {
    try {
      const answer = await attempt();
      if (!passes(answer)) return answer;
    } catch (error) {
      // What a proxy did not connect has not been sent.
      const isTcp = error instanceof McprtError && error.code === 'smoke-tcp';
      const isUnsent = isPassingProxy(error) || (isTcp && error.why.includes('ECONNREFUSED'));
      if (!isUnsent && !(isTcp && isSafe)) throw error;
    }
    await sleep(pause, signal);
  }
  return attempt();
}

function answerOf(answer: WebAnswer, request: Pick<WebRequest, 'method' | 'host' | 'path'>): ApiAnswer {
  const { status, text } = answer;
  const body = parsedJson(text);
  const message = isRecord(body) ? [body.error, body.message].filter((part) => typeof part === 'string') : [];
  const said = message.length > 0 ? message.join(': ') : text.replace(/\s+/g, ' ').trim().slice(0, 200);
  return { status, body, told: `${describe(request)} → ${status}${said === '' || status < 400 ? '' : ` ${said}`}` };
}

function refusal({ status, told }: ApiAnswer): McprtError {
  if (status === 401) {
    return new McprtError('smoke-unauthorized', {
      what: 'the platform does not know the caller',
      why: told,
      next: 'check `admin-key`: it must be one of ADMIN_API_KEYS in the Secret mcp-sentinel/mcp-sentinel-secrets',
    });
  }
  if (status === 403) {
    return new McprtError('smoke-forbidden', {
      what: 'the platform does not allow it',
      why: told,
      next: 'check the caller’s role and team; `admin-key` must be an admin’s',
    });
  }
  if (status === 429) {
    return new McprtError('smoke-limit', {
      what: 'the platform’s limit is reached',
      why: told,
      next: 'remove what earlier runs have left: run `operation: cleanup`; a user may have five servers',
    });
  }
  if (status >= 500) {
    return new McprtError('smoke-server-error', {
      what: 'the platform failed',
      why: told,
      next: 'the reason is in the log only: `kubectl logs -n mcp-sentinel deployment/mcp-runtime-api` (mcp-sentinel-api in the layout mono)',
    });
  }
  return new McprtError('smoke-refused', {
    what: 'the platform refused a request',
    why: told,
    next: 'its words say what it does not like; a platform of another version may want another form',
  });
}
