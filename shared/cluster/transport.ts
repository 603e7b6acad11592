import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent, request, WebSocket } from 'undici';
import { McprtError } from '../errors.js';
import { ApiError, apiErrorFrom } from './api-error.js';
import type { Credentials } from './credentials.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Call {
  method: Method;
  /** Path with the query string, from the server's root. */
  path: string;
  body?: string;
  contentType?: string;
  signal?: AbortSignal;
}

export interface Answer {
  status: number;
  body: string;
}

export interface TransportOptions {
  userAgent: string;
  /** How long a call may take with all its retries, in ms. */
  deadline: number;
  /** HTTPS_PROXY and its kin, read at the edge; the kubeconfig's own proxy-url wins. */
  proxy?: { httpsProxy?: string; noProxy?: string };
}

/** Raw HTTP to one API server, over one pooled connection, with retries by class of failure. */
export interface Transport {
  /** @throws ApiError for every answer outside 200–299, McprtError `cluster-unreachable` when there is none */
  call(call: Call): Promise<Answer>;
  /** Lines of a streaming answer (watch), ending when the server or the signal ends it. */
  lines(call: Call): AsyncGenerator<string>;
  /** A WebSocket to a path, which is not open yet. */
  webSocket(path: string, protocol: string): Promise<WebSocket>;
  /** The API server's clock at its last answer; the runner's may be wrong by days. */
  serverTime(): Date | undefined;
  readonly calls: number;
  close(): Promise<void>;
}

const retriedStatuses = new Set([429, 500, 502, 503, 504]);
const attempts = 5;

export function openTransport(credentials: Credentials, options: TransportOptions): Transport {
  const dispatcher = dispatcherFor(credentials, options);
  const { tokens, explainRefusal } = credentials;
  const headersWith = (token: string | undefined): Record<string, string> => ({
    accept: 'application/json',
    'user-agent': options.userAgent,
    ...credentials.headers,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
  let sockets: Dispatcher | undefined;
  let calls = 0;
  let clock: { at: number; seen: number } | undefined;

  /** Sends it, once more with a new token where the API server refuses one that may have ended meanwhile. */
  const send = async (call: Call): Promise<Dispatcher.ResponseData> => {
    let token = await tokens?.current();
    let answer = await sendWith(call, token);
    if (tokens === undefined || token === undefined) return answer;
    if (answer.statusCode === 401 && tokens.refused(token)) {
      await answer.body.dump();
      token = await tokens.current();
      answer = await sendWith(call, token);
    }
    if (answer.statusCode !== 401 || explainRefusal === undefined) return answer;
    await answer.body.dump();
    throw explainRefusal(token);
  };

  const sendWith = async (call: Call, token: string | undefined): Promise<Dispatcher.ResponseData> => {
    calls += 1;
    const headers = headersWith(token);
    const answer = await request(`${credentials.server}${call.path}`, {
      method: call.method,
      dispatcher,
      headers:
        call.body === undefined ? headers : { ...headers, 'content-type': call.contentType ?? 'application/json' },
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });
    const date = answer.headers.date;
    if (typeof date === 'string') {
      clock = { at: Date.parse(date), seen: performance.now() };
    }
    return answer;
  };

  const once = async (call: Call): Promise<Answer> => {
    const answer = await send(call);
    const body = await answer.body.text();
    if (answer.statusCode < 300) {
      return { status: answer.statusCode, body };
    }
    const error = apiErrorFrom(answer.statusCode, body, `${call.method} ${call.path.split('?')[0]}`);
    const wait = Number(answer.headers['retry-after']);
    if (retriedStatuses.has(answer.statusCode) && wait > 0) {
      await sleep(Math.min(wait * 1000, options.deadline), undefined, call.signal ? { signal: call.signal } : {});
    }
    throw error;
  };

  return {
    async call(call) {
      const deadline = AbortSignal.timeout(options.deadline);
      const signal = call.signal ? AbortSignal.any([call.signal, deadline]) : deadline;
      try {
        return await pRetry(() => once({ ...call, signal }), {
          retries: attempts - 1,
          minTimeout: 200,
          factor: 2,
          randomize: true,
          signal,
          shouldRetry: ({ error }) => isPassing(error),
        });
      } catch (error) {
        throw call.signal?.aborted ? call.signal.reason : explain(error, call, credentials.server);
      }
    },
    async *lines(call) {
      let answer: Dispatcher.ResponseData;
      try {
        answer = await send(call);
      } catch (error) {
        throw call.signal?.aborted ? call.signal.reason : explain(error, call, credentials.server);
      }
      if (answer.statusCode >= 300) {
        throw apiErrorFrom(answer.statusCode, await answer.body.text(), `watch ${call.path.split('?')[0]}`);
      }
      let rest = '';
      try {
        for await (const chunk of answer.body.setEncoding('utf8')) {
          const parts = (rest + String(chunk)).split('\n');
          rest = parts.pop() ?? '';
          yield* parts.filter((line) => line !== '');
        }
      } catch (error) {
        if (!call.signal?.aborted) throw explain(error, call, credentials.server);
      } finally {
        answer.body.destroy();
      }
    },
    async webSocket(path, protocol) {
      const token = await tokens?.current();
      calls += 1;
      // The pooled connections speak HTTP/2, and the API server upgrades HTTP/1.1 only.
      sockets ??= dispatcherFor(credentials, options, { allowH2: false });
      const url = `${credentials.server.replace(/^http/, 'ws')}${path}`;
      const { accept: _, ...own } = headersWith(token);
      return new WebSocket(url, { protocols: [protocol], dispatcher: sockets, headers: own });
    },
    serverTime: () => clock && new Date(clock.at + performance.now() - clock.seen),
    get calls() {
      return calls;
    },
    async close() {
      await Promise.all([dispatcher.destroy(), sockets?.destroy()]);
    },
  };
}

function dispatcherFor(
  credentials: Credentials,
  options: TransportOptions,
  { allowH2 } = { allowH2: true },
): Dispatcher {
  const connect = { ...credentials.tls, timeout: 10_000 };
  const pool = {
    allowH2,
    ...(allowH2 ? { connections: 4 } : {}),
    headersTimeout: options.deadline,
    bodyTimeout: 0,
  };
  const { httpsProxy, noProxy } = options.proxy ?? {};
  if (credentials.proxyUrl !== undefined) {
    return new ProxyAgent({ uri: credentials.proxyUrl, requestTls: connect, ...pool });
  }
  return httpsProxy === undefined
    ? new Agent({ connect, ...pool })
    : new EnvHttpProxyAgent({ httpsProxy, noProxy: noProxy ?? '', requestTls: connect, ...pool });
}

/** A network failure or an answer that asks to come back; a write that did happen is found by whoever re-reads it. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return retriedStatuses.has(error.status);
  // What is ours has been tried as often as it is worth, or is refused for what it is.
  return !(error instanceof McprtError) && !isCertificateProblem(error);
}

function isCertificateProblem(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code);
}

function explain(error: unknown, call: Call, server: string): Error {
  if (error instanceof McprtError) {
    return error;
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const where = `${call.method} ${call.path.split('?')[0]} at ${server}`;
  if (isCertificateProblem(error)) {
    return new McprtError('cluster-untrusted', {
      what: `${where}: the server’s certificate is not trusted`,
      why: code,
      next: 'the kubeconfig’s certificate-authority-data, or the input `certificate-authority`, must be the CA of this server: on k3s /var/lib/rancher/k3s/server/tls/server-ca.crt',
      cause: error,
    });
  }
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  return new McprtError('cluster-unreachable', {
    what: `${where}: no answer${timedOut ? ' within the deadline' : ` after ${attempts} tries`}`,
    why: code === '' ? (error instanceof Error ? error.message : 'unknown network failure') : code,
    next: 'check that this runner can reach the API server: a firewall, a VPN, or a proxy that HTTPS_PROXY must name',
    cause: error,
  });
}
