import { request } from 'node:http';
import { createServer } from 'node:https';
import { listenOnLoopback } from '../../lab/driver/loopback.js';
import { makeCertificateAuthority, makeServerCertificate } from '../../lab/platform/certificate-authority.js';

/** GitHub's services by https, as they are. */
export interface SecureGithub {
  port: number;
  /** PEM of the CA of its certificate. */
  ca: string;
  close(): Promise<void>;
}

/** Puts TLS before the stand-in of GitHub's services. @param host the name in its certificate */
export async function secureGithub(origin: string, host: string): Promise<SecureGithub> {
  const ca = await makeCertificateAuthority('CA of GitHubs services');
  const { certificate: cert, key } = await makeServerCertificate([host], ca);
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    const { method, url = '/', headers } = incoming;
    const onward = request(new URL(url, origin), { method, headers: { ...headers, 'x-forwarded-proto': 'https' } });
    onward.once('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  const { port, close } = await listenOnLoopback(server);
  return {
    port,
    ca: ca.certificate,
    async close() {
      server.closeAllConnections();
      await close();
    },
  };
}
