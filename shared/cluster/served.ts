import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { withoutBrackets } from '../text.js';
import { openTunnel } from '../tunnel.js';

/** In ms: it only explains a failure, which is told without it as well. */
const patience = 5_000;
const longestName = 300;

/**
 * The certificate that a server shows to whoever asks, also where it is not trusted: what failed is over by then, and its
 * error does not have it. Nothing is sent over this connection.
 *
 * @param servername the name to ask for, where it is another one than the address has
 * @returns undefined where none comes in time
 */
export async function presentedCertificate(
  server: string,
  { proxy, servername }: { proxy: string | undefined; servername: string | undefined },
): Promise<X509Certificate | undefined> {
  const host = hostOf(server);
  const port = Number(new URL(server).port || 443);
  const name = servername ?? (isIP(host) === 0 ? host : undefined);
  const socket =
    proxy === undefined
      ? undefined
      : await openTunnel(proxy, { host, port }, { signal: AbortSignal.timeout(patience) }).catch(
          (): undefined => undefined,
        );
  if (proxy !== undefined && socket === undefined) return undefined;
  return new Promise((resolve) => {
    const secure = connect({
      ...(socket === undefined ? { host, port } : { socket }),
      ...(name === undefined ? {} : { servername: name }),
      rejectUnauthorized: false,
    });
    const end = (certificate?: X509Certificate): void => {
      resolve(certificate);
      secure.destroy();
    };
    secure.setTimeout(patience, () => end());
    secure.once('secureConnect', () => end(secure.getPeerX509Certificate()));
    secure.on('error', () => end());
    secure.once('close', () => end());
  });
}

/** The host of an address, an IPv6 one without its brackets. */
export function hostOf(server: string): string {
  return withoutBrackets(new URL(server).hostname);
}

/** The first certificate of a file of CAs; undefined where there is none. */
export function firstCertificate(pem: string | Buffer | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem);
  } catch {
    // One that cannot be read was refused before, or is among others that can.
    return undefined;
  }
}

/** A distinguished name on one line. */
export function nameText(name: string): string {
  return name.split('\n').join(', ').slice(0, longestName);
}
