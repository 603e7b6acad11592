import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { parsedJson } from '../../shared/json.js';
import { listenOnLoopback } from '../driver/loopback.js';

/** A request, with its body read to the end. */
export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Cut the connection after so many bytes of the body, though the header announces all of them. */
  readonly cutAfter?: number;
}

/** A server on a free port of the loopback interface. */
export interface Server {
  readonly origin: string;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/** Answers each request with what `handle` gives for it; what `handle` throws becomes a 500 with its text. */
export async function serve(handle: (call: Call) => Reply): Promise<Server> {
  const server = createServer((request, response) => {
    buffer(request)
      .then((body) => {
        const { method = 'GET', headers } = request;
        // What stands before it may speak TLS for it.
        const url = new URL(request.url ?? '/', `${headers['x-forwarded-proto'] ?? 'http'}://${headers.host}`);
        write(response, handle({ method, url, headers, body }), method);
      })
      .catch((thrown: unknown) => write(response, { status: 500, body: String(thrown) }, 'GET'));
  });
  const { port, close } = await listenOnLoopback(server);
  return { origin: `http://127.0.0.1:${port}`, close };
}

function write(response: ServerResponse, { status, headers, body = '', cutAfter }: Reply, method: string): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { 'content-length': bytes.length, ...headers });
  if (method === 'HEAD') response.end();
  else if (cutAfter === undefined) response.end(bytes);
  else response.write(bytes.subarray(0, cutAfter), () => response.destroy());
}

/** A reply with a JSON body. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

/** The token of a bearer header; undefined when there is none. GitHub takes the scheme `token` as well. */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^(?:bearer|token) +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** What a JSON body holds; undefined when it is not JSON. */
export function jsonBody({ body }: Call): unknown {
  return parsedJson(body.toString());
}
