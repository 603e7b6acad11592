import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Readable } from 'node:stream';
import { ReadableStream as NodeStream } from 'node:stream/web';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isRecord, parsedJson } from '../json.js';
import { pause } from '../pause.js';
import { type Web, WebError, type WebStream } from '../platform/web.js';
import { retryAfter } from '../retry-after.js';

/** What came of a request, as far as it is kept. */
export interface RawAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Of the body, as it comes. */
  text: string;
}

/** One request of the conversation: what goes with it, and what came. */
export interface Exchange {
  headers: Readonly<Record<string, string>>;
  raw?: RawAnswer;
  /** The error of JSON-RPC that the server answered with. */
  error?: { code: number; message: string };
  /** How many requests there were for it. */
  asked: number;
  /** What is still being read. */
  bodies: Readable[];
  /** Until it is taken for one without an answer. */
  judgement?: NodeJS.Timeout;
  /** Nothing more is asked for it. */
  isOver: boolean;
  /** Ends it, where nothing more can come. */
  fail: (error: Error) => void;
}

interface Way {
  host: string;
  signal: AbortSignal;
  exchanges: AsyncLocalStorage<Exchange>;
  /** For an answer, in ms. */
  patience: number;
}

/** How often and how long a server may ask to come again, in ms. */
const later = { most: 5, longest: 20_000 };
/** Requests that belong to one of ours: a server may ask something in the middle, and not without end. */
const mostAsked = 50;
/** Events of one answer: each is read and judged by itself. */
const mostEvents = 10_000;
/** Of a body, for an error. */
const mostKept = 4_096;
/** Between the end of an answer and the judgement that it held none: the SDK may still be reading, in ms. */
const grace = 3_000;

/** `fetch` for the SDK, by our way to the public names: verified TLS, proxies, limits, and what the exchange says. */
export function fetchThrough(web: Web, { host, signal, exchanges, patience }: Way): FetchLike {
  return async (address, init = {}) => {
    const exchange = exchanges.getStore();
    const { method = 'GET' } = init;
    const headers = Object.fromEntries(new Headers(init.headers));
    // Nobody has to listen for what a server says unasked.
    const isUnasked = method === 'GET' && headers['last-event-id'] === undefined;
    if (exchange === undefined || exchange.isOver || isUnasked || exchange.asked >= mostAsked) {
      return new Response(null, { status: 405 });
    }
    exchange.asked += 1;
    // Whoever goes on has found what there was to find.
    clearTimeout(exchange.judgement);
    const url = new URL(address);
    const body = typeof init.body === 'string' ? init.body : undefined;
    const asked = {
      method,
      host,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, ...exchange.headers },
      signal,
    };
    const deadline = method === 'DELETE' ? 5_000 : patience;
    const answer = await patiently(() => web.open({ ...asked, deadline, ...(body !== undefined && { body }) }), signal);
    exchange.bodies.push(answer.body);
    const stream = isAnswerOf(body, answer.status) ? watched(answer, exchange) : answer.body;
    const hasBody = ![204, 205, 304].includes(answer.status);
    return new Response(hasBody ? (NodeStream.from(stream) as ReadableStream<Uint8Array>) : null, {
      status: answer.status,
      headers: answer.headers,
    });
  };
}

/** Asks again where a server says when: `Retry-After` with 429 or 503. */
async function patiently(ask: () => Promise<WebStream>, signal: AbortSignal): Promise<WebStream> {
  for (let times = 1; ; times += 1) {
    const answer = await ask();
    const wait = askedWait(answer);
    if (wait === undefined || times === later.most) return answer;
    answer.body.destroy();
    await pause(wait, signal);
  }
}

/** How long to wait, in ms; undefined where the server does not say, or says longer than a test can wait. */
function askedWait({ status, headers }: WebStream): number | undefined {
  const wait = [429, 502, 503, 504].includes(status) ? retryAfter(headers['retry-after'], new Date()) : undefined;
  return wait === undefined || wait * 1000 > later.longest ? undefined : wait * 1000;
}

/** Whether an answer is to a request of ours; a notification counts where it is refused, and an answer of ours never. */
function isAnswerOf(body: string | undefined, status: number): boolean {
  const sent = body === undefined ? undefined : parsedJson(body);
  // A stream that cannot be taken up again leaves what its first part said.
  if (!isRecord(sent)) return status < 300;
  return typeof sent.method === 'string' && (sent.id !== undefined || status >= 300);
}

/** Keeps the beginning of a body, and ends an exchange that its body leaves without an answer. */
function watched({ status, headers, body }: WebStream, exchange: Exchange): AsyncIterable<Buffer> {
  const raw: RawAnswer = { status, headers, text: '' };
  exchange.raw = raw;
  // The SDK reads nothing then, and waits.
  if (status === 202) exchange.fail(new Error('nothing more comes'));
  const read = async function* (): AsyncGenerator<Buffer> {
    // A field may come in two pieces.
    let [canResume, end] = [false, ''];
    let events = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const text = chunk.toString();
        raw.text = (raw.text + text).slice(0, mostKept);
        canResume ||= /^id:/m.test(end + text);
        end = text.slice(-3);
        events += text.split('\n\n').length - 1;
        if (events > mostEvents) throw new WebError('size', 'a stream of events', 'the answer does not end');
        yield chunk;
      }
      const isEvents = (headers['content-type'] ?? '').includes('text/event-stream');
      if (isEvents && canResume) return;
      exchange.judgement = setTimeout(() => exchange.fail(new Error('nothing more comes')), grace).unref();
    } catch (error) {
      if (!canResume || (error instanceof WebError && error.layer === 'size')) exchange.fail(error as Error);
      throw error;
    }
  };
  return read();
}
