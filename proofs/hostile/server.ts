import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { listenOnLoopback } from '../../lab/driver/loopback.js';
import { makeCertificateAuthority, makeServerCertificate } from '../../lab/platform/certificate-authority.js';

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A server on the loopback address that answers as it is told. */
export interface HostileServer {
  url: string;
  port: number;
  /** PEM of the CA of its certificate; empty where it has none. */
  ca: string;
  answer: Answer;
  close(): Promise<void>;
}

/** @param name for which its certificate is; empty for plain HTTP */
export async function startHostile(name: string): Promise<HostileServer> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      if (body.length < 1e6) body += chunk;
    });
    request.on('end', () => hostile.answer(request, response, body));
    request.on('error', () => undefined);
  };
  const ca = name === '' ? undefined : await makeCertificateAuthority();
  const own = ca && (await makeServerCertificate([name], ca));
  const server = own ? createSecure({ cert: own.certificate, key: own.key }, listener) : createPlain(listener);
  server.on('clientError', (_, socket) => socket.destroy());
  const { port, close } = await listenOnLoopback(server);
  const hostile: HostileServer = {
    url: `${own ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    ca: ca?.certificate ?? '',
    answer: (_, response) => response.writeHead(404).end(),
    close,
  };
  return hostile;
}

/** Text of a kubeconfig that leads to a server. @param host for which its certificate is */
export function kubeconfigOf({ url, ca }: HostileServer, host: string, token: string): string {
  return JSON.stringify({
    'current-context': 'c',
    clusters: [
      {
        name: 'c',
        cluster: {
          server: url,
          'tls-server-name': host,
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    users: [{ name: 'c', user: { token } }],
  });
}

/** Sends for ever, as fast as it is taken. */
export function forEver(response: ServerResponse, piece: string, begin = ''): void {
  const block = piece.repeat(Math.ceil((128 * 1024) / piece.length));
  response.write(begin);
  const more = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response.on('drain', more);
  more();
}

/** Sends some JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
