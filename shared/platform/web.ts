import { Agent, request } from 'node:https';
import { type Duplex, type Readable, Transform } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { McprtError, messageOf } from '../errors.js';
import { isRecord } from '../json.js';
import { trusted } from '../trust.js';
import { openWay, type ReachOptions, wayTo } from './way.js';

export interface WebRequest {
  method: string;
  host: string;
  /** With the query. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Readable;
  /** For the whole exchange, in ms. */
  deadline?: number;
  signal: AbortSignal;
}

export interface WebAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
  ms: number;
}

/** The layer that an exchange failed in: below it all was well. */
export type WebLayer = 'dns' | 'tcp' | 'tls' | 'timeout' | 'size';

/** An exchange that came to no answer. The message says what was asked, never with which headers or body. */
export class WebError extends Error {
  readonly layer: WebLayer;
  readonly asked: string;

  constructor(layer: WebLayer, asked: string, why: string, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.layer = layer;
    this.asked = asked;
  }
}

/** The head of an answer, and its body while it comes. */
export interface WebStream {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Fails with a WebError, or the signal's reason. Destroyed by who wants no more of it. */
  body: Readable;
}

/** HTTPS to the platform's public names, with certificates verified, and connections kept. */
export interface Web {
  /** @throws WebError; McprtError `proxy-…`; the signal's reason */
  ask(asked: WebRequest): Promise<WebAnswer>;
  /** The same, before the body is there: a stream of events may have no end. */
  open(asked: WebRequest): Promise<WebStream>;
  close(): void;
}

const usualDeadline = 30_000;
const longestBody = 4 * 1024 * 1024;

export function openWeb(options: ReachOptions): Web {
  const agent = new WayAgent(options);
  return {
    ask: (asked) => askWhole(asked, agent),
    open: (asked) => exchange(asked, agent),
    close: () => agent.destroy(),
  };
}

async function askWhole(asked: WebRequest, agent: Agent): Promise<WebAnswer> {
  const started = performance.now();
  const { status, headers, body } = await exchange(asked, agent);
  const text = await textOf(body).catch((error: unknown) => {
    throw asked.signal.aborted ? asked.signal.reason : error;
  });
  return { status, headers, text, ms: performance.now() - started };
}

/** Connects by name, wherever that leads, and keeps connections. */
class WayAgent extends Agent {
  readonly #reach: ReachOptions;
  readonly #ca: string[];

  constructor(reach: ReachOptions) {
    super({ keepAlive: true, maxSockets: 16 });
    this.#reach = reach;
    this.#ca = trusted(reach.caBundle);
  }

  override createConnection(
    { host }: { host?: string | null | undefined },
    done: (error: Error | null, stream?: Duplex) => void,
  ): undefined {
    const name = host ?? '';
    wayTo(name, 443, this.#reach)
      .catch((error: unknown) => {
        throw new WebError('dns', name, messageOf(error), error);
      })
      .then((way) => openWay(way, this.#reach))
      .then(
        (socket) => done(null, connect({ socket, servername: name, ca: this.#ca })),
        (error: Error) => done(error),
      );
  }
}

function exchange(asked: WebRequest, agent: Agent): Promise<WebStream> {
  const { method, host, path, headers = {}, body, deadline = usualDeadline, signal } = asked;
  const name = describe(asked);
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const call = request({
      host,
      method,
      path,
      agent,
      headers: {
        host,
        'user-agent': 'mcprt',
        accept: 'application/json',
        ...(typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}),
        ...headers,
      },
    });
    let given: Readable | undefined;
    // What ends it settles it too: after a 101 a request tells nothing any more, not even that it was destroyed.
    const giveUp = (error: Error): void => {
      fail(error);
      call.destroy();
    };
    const late = setTimeout(
      () => giveUp(new WebError('timeout', name, `no answer within ${Math.round(deadline / 1000)} s`)),
      deadline,
    );
    const stop = (): void => giveUp(new Error('cancelled'));
    signal.addEventListener('abort', stop, { once: true });
    const end = (): void => {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
    };
    const fail = (error: unknown): void => {
      end();
      if (given === undefined) reject(signal.aborted ? signal.reason : told(name, error));
      else given.destroy(told(name, error));
    };
    call.once('error', fail);
    call.once('response', (answer) => {
      let size = 0;
      const limited = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          size += chunk.length;
          done(size > longestBody ? new WebError('size', name, 'the answer does not end') : null, chunk);
        },
      });
      given = limited;
      answer.once('error', fail).pipe(limited);
      // Who reads it hears of an error; who does not yet is not ended by one.
      limited
        .on('error', () => undefined)
        .once('close', () => {
          end();
          if (!answer.complete) call.destroy();
        });
      const known = Object.entries(answer.headers).map(([key, value]) => [key, String(value ?? '')]);
      resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(known), body: limited });
    });
    if (body === undefined || typeof body === 'string') call.end(body);
    else {
      body.once('error', (error) => call.destroy(error));
      body.pipe(call);
    }
  });
}

function told(name: string, error: unknown): Error {
  if (error instanceof McprtError) return error;
  if (error instanceof WebError) return new WebError(error.layer, name, error.message, error.cause);
  const code = isRecord(error) ? String(error.code ?? '') : '';
  const isTls = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|ALTNAME|EPROTO/.test(code);
  return new WebError(isTls ? 'tls' : 'tcp', name, messageOf(error), error);
}

/** A request as it is shown: never with its headers or body, as these hold secrets. */
export function describe({ method, host, path }: Pick<WebRequest, 'method' | 'host' | 'path'>): string {
  return `${method} https://${host}${path}`;
}
