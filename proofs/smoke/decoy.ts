import { createServer } from 'node:https';
import { type KeyPair, makeServerCertificate } from '../../lab/platform/certificate-authority.js';

export interface DecoyOptions {
  names: readonly [string, ...string[]];
  /** Who signs its certificate; itself when left out. */
  ca?: KeyPair;
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
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    at: (host) => `${host}:443=127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
