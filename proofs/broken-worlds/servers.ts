import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { listenOnLoopback } from '../../lab/driver/loopback.js';
import { freePort } from '../../lab/driver/processes.js';
import { makeServerCertificate } from '../../lab/platform/certificate-authority.js';
import type { Site } from './site.js';

/** Address and port of a web server that is not Traefik, there until the site is mended. */
export async function otherWebServer(site: Site, answer: RequestListener): Promise<string> {
  return listen(site, createHttpServer(answer));
}

/** Address and port of a TLS server with a certificate of its own for a name. */
export async function otherTlsServer(site: Site, name: string): Promise<string> {
  const { certificate: cert, key } = await makeServerCertificate([name]);
  return listen(
    site,
    createHttpsServer({ cert, key }, (_request, response) => void response.end()),
  );
}

/** Address and port where nothing listens. */
export async function closedPort(): Promise<string> {
  const port = await freePort();
  return `127.0.0.1:${port}`;
}

async function listen(site: Site, server: Server): Promise<string> {
  const { port, close } = await listenOnLoopback(server);
  site.mendWith(close);
  return `127.0.0.1:${port}`;
}
