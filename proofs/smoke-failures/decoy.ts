import { createServer } from 'node:https';
import { listenOnLoopback } from '../../lab/driver/loopback.js';
import { type KeyPair, makeServerCertificate } from '../../lab/platform/certificate-authority.js';

export interface DecoyOptions {
  names: readonly [string, ...string[]];
  /** Who signs its certificate; itself when left out. */
  ca?: KeyPair | undefined;
  notAfter?: Date;
  status?: number;
  body?: string;
}

/** A server in the place of the platform's front: DNS that leads elsewhere, or a front that serves something else. */
export interface Decoy {
  /** A line of `resolve` that leads a name to it. */
  at(host: string): string;
  close(): Promise<void>;
}

export async function startDecoy({ names, ca, notAfter, status = 200, body = '' }: DecoyOptions): Promise<Decoy> {
  const { certificate, key } = await makeServerCertificate(names, ca, notAfter);
  const server = createServer({ cert: certificate, key }, (_request, response) => {
    response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
  });
  const { port, close } = await listenOnLoopback(server);
  return {
    at: (host) => `${host}:443=127.0.0.1:${port}`,
    close,
  };
}
