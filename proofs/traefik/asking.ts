import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';

/** One question to a front. */
export interface Question {
  scheme: 'http' | 'https';
  /** The name that the certificate is asked for, which is the Host as well unless that is given. */
  name: string;
  host?: string;
  path: string;
  headers?: Readonly<Record<string, string>>;
}

/** What a front says to it, as far as it tells one front from another. */
export interface Answer {
  /** Serial number and subject; the serial of a certificate that every front makes for itself is left out. */
  certificate: string;
  status: number;
  body: string;
  location: string;
  challenge: string;
}

/** Ports of a front. */
export interface Ports {
  httpPort: number;
  httpsPort: number;
}

const defaultSubject = 'TRAEFIK DEFAULT CERT';

/** Asks a front on the loopback interface, and accepts whatever certificate it has. */
export function ask(
  { httpPort, httpsPort }: Ports,
  { scheme, name, host = name, path, headers }: Question,
): Promise<Answer> {
  const options = { host: '127.0.0.1', path, headers: { host, ...headers }, timeout: 10_000 };
  return new Promise((resolve, reject) => {
    let certificate = '';
    const answered = async (answer: IncomingMessage): Promise<Answer> => ({
      certificate,
      status: answer.statusCode ?? 0,
      body: (await text(answer)).trim(),
      location: answer.headers.location ?? '',
      challenge: answer.headers['www-authenticate'] ?? '',
    });
    const asked =
      scheme === 'http'
        ? httpRequest({ ...options, port: httpPort, agent: new HttpAgent({ keepAlive: false }) })
        : request({
            ...options,
            port: httpsPort,
            servername: name,
            rejectUnauthorized: false,
            agent: new Agent({ keepAlive: false }),
          });
    asked.once('socket', (socket) => {
      socket.once('secureConnect', () => {
        const { serialNumber, subject } = (socket as TLSSocket).getPeerCertificate();
        certificate = subject?.CN === defaultSubject ? defaultSubject : (serialNumber?.toLowerCase() ?? '');
      });
    });
    asked.once('response', (answer) => answered(answer).then(resolve, reject));
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.once('error', reject).end();
  });
}
