import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { makeCertificateAuthority, makeServerCertificate } from '../../../lab/platform/certificate-authority.js';
import { direct } from '../../proxy.js';
import type { ReachOptions } from '../way.js';
import { openWeb, type Web } from '../web.js';

/** A request that came in whole. */
export interface Asked {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  /** Text as it is, anything else as JSON. */
  body?: unknown;
  /** Writes the body instead, and ends it or not. */
  write?: (response: ServerResponse) => void;
}

/** A server on the loopback interface with a certificate of its own CA, and a way to it. */
export interface SecureServer {
  host: string;
  port: number;
  /** How to get there: its CA, and where its name leads to. */
  reach: ReachOptions;
  web: Web;
  asked: Asked[];
  /** Answers everything. */
  answer: (asked: Asked) => Reply;
  /** Answers instead, before the body is read, while it gives true. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

const host = 'platform.example.com';

/** @param name for which the certificate is */
export async function startSecureServer(name: string = host): Promise<SecureServer> {
  const ca = await makeCertificateAuthority();
  const { certificate, key } = await makeServerCertificate([name], ca);
  const server = createServer({ cert: certificate, key }, async (request, response) => {
    if (secure.instead?.(request, response)) return;
    const { method = '', url = '', headers } = request;
    const asked = { method, url, headers, body: await text(request) };
    secure.asked.push(asked);
    const { status, headers: own = {}, body, write } = secure.answer(asked);
    response.writeHead(status, { 'content-type': 'application/json', ...own });
    if (write !== undefined) return write(response);
    response.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const reach: ReachOptions = {
    overrides: [{ host, port: 443, address: '127.0.0.1', toPort: port }],
    dnsServer: '',
    caBundle: ca.certificate,
    proxies: direct,
  };
  const web = openWeb(reach);
  const secure: SecureServer = {
    host,
    port,
    reach,
    web,
    asked: [],
    answer: () => ({ status: 404 }),
    instead: undefined,
    close: async () => {
      web.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return secure;
}
