import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { Agent, type Dispatcher, WebSocket } from 'undici';
import { linesOfStream, readAtMost } from '../bounded.js';
import { McprtError } from '../errors.js';
import { direct, type Proxies, proxyFor } from '../proxy.js';
import { isPassingProxy, proxyAddress } from '../proxy-error.js';
import { tunnelConnector } from '../tunnel.js';
import { ApiError, apiErrorFrom } from './api-error.js';
import type { Credentials } from './credentials.js';
import { impersonationHeaders, singleHeaders } from './impersonation.js';
import { codeOf, isCertificateProblem, networkError, notApi } from './network-error.js';
import { serverClock } from './server-clock.js';

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
  /** Of the environment, read at the edge; the kubeconfig's own proxy-url wins. */
  proxies?: Proxies;
}

/** Raw HTTP to one API server, over one pooled connection, with retries by class of failure. */
export interface Transport {
  /** @throws ApiError for every answer outside 200–299, McprtError of `networkError` when there is none */
  call(call: Call): Promise<Answer>;
  /** Lines of a streaming answer (watch), ending when the server or the signal ends it. */
  lines(call: Call): AsyncGenerator<string>;
  /** A WebSocket to a path, which is not open yet. */
  webSocket(path: string, protocol: string): Promise<WebSocket>;
  /** The API server's clock; the runner's may be wrong by days. */
  serverTime(): Date | undefined;
  readonly calls: number;
  close(): Promise<void>;
}

const retriedStatuses = new Set([429, 500, 502, 503, 504]);
/**
 * Failures of a connection, which may be better at the next try. Everything else is refused for what it is: by the client,
 * which takes no such header, or by the server, whose certificate is another one.
 */
const passingCodes =
  /^(?:ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|ERR_HTTP2_\w+|UND_ERR_(?:SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|CLOSED|INFO|RES_CONTENT_LENGTH_MISMATCH))$/;
/** What one answer and one event may have, in bytes: a page of a list has 500 objects, and none of them more than some MiB. */
const most = { answer: 128 * 1024 * 1024, event: 16 * 1024 * 1024, watch: 512 * 1024 * 1024 } as const;
/** How long a page that a failing server shows is read, in bytes. */
const mostRefusal = 1024 * 1024;
const attempts = 5;

export function openTransport(credentials: Credentials, options: TransportOptions): Transport {
  const dispatcher = dispatcherFor(credentials, options);
  const server = new URL(credentials.server);
  const { tokens, explainRefusal, impersonation } = credentials;
  const headersWith = (token: string | undefined): Record<string, string | string[]> => ({
    accept: 'application/json',
    'user-agent': options.userAgent,
    ...credentials.headers,
    ...(impersonation && impersonationHeaders(impersonation)),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
  const isNobody = isAnonymous(credentials);
  let sockets: Dispatcher | undefined;
  let calls = 0;
  const clock = serverClock();

  /** Sends it, once more with a new token where the API server refuses one that may have ended meanwhile. */
  const send = async (call: Call): Promise<Dispatcher.ResponseData> => {
    if (tokens === undefined) return sendWith(call, undefined);
    let token = await tokens.current();
    let answer = await sendWith(call, token);
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
    const answer = await dispatcher.request({
      origin: server.origin,
      path: `${server.pathname === '/' ? '' : server.pathname}${call.path}`,
      method: call.method,
      headers:
        call.body === undefined ? headers : { ...headers, 'content-type': call.contentType ?? 'application/json' },
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });
    const date = answer.headers.date;
    if (typeof date === 'string') clock.hear(date);
    return answer;
  };

  const once = async (call: Call): Promise<Answer> => {
    const answer = await send(call);
    const isGood = answer.statusCode < 300;
    const limit = isGood ? most.answer : mostRefusal;
    const body = (await readAtMost(answer.body, limit, () => tooLarge(call, limit))).toString('utf8');
    refusePage(answer, call);
    if (isGood) {
      return { status: answer.statusCode, body };
    }
    const error = apiErrorFrom(answer.statusCode, body, `${call.method} ${call.path.split('?')[0]}`, isNobody);
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
        throw call.signal?.aborted ? call.signal.reason : await explain(error, call, credentials, options);
      }
    },
    async *lines(call) {
      let answer: Dispatcher.ResponseData;
      try {
        answer = await send(call);
      } catch (error) {
        throw call.signal?.aborted ? call.signal.reason : await explain(error, call, credentials, options);
      }
      if (answer.statusCode >= 300) {
        const body = await readAtMost(answer.body, mostRefusal, () => tooLarge(call, mostRefusal));
        refusePage(answer, call);
        throw apiErrorFrom(answer.statusCode, body.toString('utf8'), `watch ${call.path.split('?')[0]}`, isNobody);
      }
      let seen = 0;
      try {
        const text = answer.body.setEncoding('utf8') as AsyncIterable<string>;
        for await (const line of linesOfStream(text, most.event, () => tooLarge(call, most.event))) {
          seen += line.length;
          if (seen > most.watch) throw tooLarge(call, most.watch);
          if (line !== '') yield line;
        }
      } catch (error) {
        if (!call.signal?.aborted) throw await explain(error, call, credentials, options);
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
      const { accept: _, ...own } = singleHeaders(headersWith(token));
      return new WebSocket(url, { protocols: [protocol], dispatcher: sockets, headers: own });
    },
    serverTime: () => clock.now(),
    get calls() {
      return calls;
    },
    async close() {
      // A stream that was cancelled a moment ago goes with its session, and tells an error that nobody is left to hear: it would
      // end the process before it has said what it has done.
      const unheard = (error: unknown): void => {
        if (codeOf(error) !== 'UND_ERR_DESTROYED') throw error;
      };
      process.on('uncaughtException', unheard);
      try {
        await Promise.all([dispatcher.destroy(), sockets?.destroy()]);
        await setImmediate();
      } finally {
        process.off('uncaughtException', unheard);
      }
    },
  };
}

/** The proxy on the way: the kubeconfig's own, or that of the environment. */
function proxyOn({ server, proxyUrl }: Credentials, { proxies = direct }: TransportOptions): string | undefined {
  return proxyUrl ?? proxyFor(new URL(server), proxies);
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
  const proxy = proxyOn(credentials, options);
  if (proxy === undefined) return new Agent({ connect, ...pool });
  // What is no address is told before anything is asked.
  proxyAddress(proxy);
  return new Agent({ connect: tunnelConnector(proxy, { ...connect, allowH2 }), ...pool });
}

/** A network failure or an answer that asks to come back; a write that did happen is found by whoever re-reads it. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return retriedStatuses.has(error.status);
  if (isPassingProxy(error)) return true;
  return passingCodes.test(codeOf(error)) && !isCertificateProblem(error);
}

function tooLarge(call: Call, limit: number): McprtError {
  return new McprtError('cluster-too-large', {
    what: `${call.method} ${call.path.split('?')[0]}: the answer does not end`,
    why: `it has more than ${Math.round(limit / 1024 / 1024)} MiB, and no API server sends that`,
    next: 'check that the address in the kubeconfig is the API server’s: `kubectl get --raw /version`',
  });
}

async function explain(
  error: unknown,
  call: Call,
  credentials: Credentials,
  options: TransportOptions,
): Promise<Error> {
  if (error instanceof McprtError) return error;
  const { server, tls } = credentials;
  const where = `${call.method} ${call.path.split('?')[0]} at ${server}`;
  const proxy = proxyOn(credentials, options);
  return networkError(error, { where, server, tls, proxy, tries: isPassing(error) ? attempts : 1 });
}

/** Whether nothing is sent that says who asks. */
function isAnonymous({ headers, tokens, tls }: Credentials): boolean {
  return headers.authorization === undefined && tokens === undefined && tls.cert === undefined;
}

/**
 * Refuses a page: an API server has none. Taken for its answer, a web server's 404 would say that an object is not there. One
 * that a load balancer shows while the API server behind it is away is not meant, and is asked for again.
 */
function refusePage(answer: Dispatcher.ResponseData, call: Call): void {
  const type = String(answer.headers['content-type'] ?? '');
  if (!/^text\/html\b/i.test(type) || retriedStatuses.has(answer.statusCode)) return;
  throw notApi(
    `${call.method} ${call.path.split('?')[0]}`,
    `it answers with ${answer.statusCode} and a web page: another server, or a proxy’s or portal’s page`,
  );
}
