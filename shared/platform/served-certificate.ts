import type { Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import { messageOf } from '../errors.js';
import { trusted } from '../trust.js';

const deadline = 5_000;

/** A certificate as it came over the wire, and whether a client would take it. */
export interface ServedCertificate {
  /** Hex in lower case without leading zeros. */
  serial: string;
  subject: string;
  issuer: string;
  notBefore: Date;
  notAfter: Date;
  names: string;
  /** The verifier's code, such as CERT_HAS_EXPIRED; empty when it is accepted. */
  problem: string;
}

/** Sets TLS up over a connection, looks at the certificate and ends both. @throws Error when there is no TLS at all */
export function servedCertificate(socket: Socket, host: string, caBundle: string): Promise<ServedCertificate> {
  return new Promise((resolve, reject) => {
    const secure = connectTls({
      socket,
      servername: host,
      ca: trusted(caBundle),
      // It is looked at also when it is not acceptable; nothing is sent over this connection.
      rejectUnauthorized: false,
    });
    secure.setTimeout(deadline, () => secure.destroy(new Error(`no TLS within ${deadline / 1000} s`)));
    secure.once('error', reject);
    secure.once('close', () => reject(new Error('the connection was closed before TLS was set up')));
    secure.once('secureConnect', () => {
      const certificate = secure.getPeerCertificate();
      resolve({
        serial: (certificate.serialNumber ?? '').toLowerCase().replace(/^0+(?=.)/, ''),
        subject: nameText(certificate.subject),
        issuer: nameText(certificate.issuer),
        notBefore: new Date(certificate.valid_from),
        notAfter: new Date(certificate.valid_to),
        names: certificate.subjectaltname ?? '',
        // As the types do not say, it is an Error or its code.
        problem: secure.authorized ? '' : codeOf(secure.authorizationError),
      });
      secure.destroy();
    });
  });
}

function codeOf(problem: unknown): string {
  if (problem instanceof Error && 'code' in problem) return String(problem.code);
  return messageOf(problem);
}

function nameText(name: PeerCertificate['subject'] | undefined): string {
  return Object.entries(name ?? {})
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ');
}
