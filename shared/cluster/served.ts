import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { withoutBrackets } from '../text.js';

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
export function presentedCertificate(server: string, servername?: string): Promise<X509Certificate | undefined> {
  const { port } = new URL(server);
  const host = hostOf(server);
  const name = servername ?? (isIP(host) === 0 ? host : undefined);
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      host,
      port: Number(port || 443),
      ...(name === undefined ? {} : { servername: name }),
      rejectUnauthorized: false,
    });
    const end = (certificate?: X509Certificate): void => {
      resolve(certificate);
      socket.destroy();
    };
    socket.setTimeout(patience, () => end());
    socket.once('secureConnect', () => end(socket.getPeerX509Certificate()));
    socket.on('error', () => end());
    socket.once('close', () => end());
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
