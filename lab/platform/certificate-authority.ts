import { isIP } from 'node:net';
import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 24 * 3600 * 1000;

/** Certificate and key in PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/**
 * A private CA as the platform's installer makes it once: P-256, ten years.
 *
 * @param name its own where somebody trusts several: they are told apart by it
 */
export async function makeCertificateAuthority(name = 'mcp-runtime registry internal CA'): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    serialNumber: serialNumber(),
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + 3650 * day),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
    ],
  });
  return pemOf(certificate, keys.privateKey);
}

/**
 * A server's certificate for some names or addresses, signed by a CA, or by itself when none is given.
 *
 * @param notAfter a year from now when left out
 * @param notBefore a minute ago when left out, or a minute before an end that has passed
 */
export async function makeServerCertificate(
  names: readonly [string, ...string[]],
  ca?: KeyPair,
  notAfter = new Date(Date.now() + 365 * day),
  notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - 60_000),
): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const subject = `CN=${names[0]}`;
  const signer =
    ca === undefined
      ? { issuer: subject, signingKey: keys.privateKey }
      : {
          issuer: new X509Certificate(ca.certificate).subject,
          signingKey: await crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(ca.key), algorithm, false, [
            'sign',
          ]),
        };
  const certificate = await X509CertificateGenerator.create({
    ...signer,
    subject,
    serialNumber: serialNumber(),
    publicKey: keys.publicKey,
    signingAlgorithm: algorithm,
    notBefore,
    notAfter,
    extensions: [
      new SubjectAlternativeNameExtension(
        names.filter((name) => !name.includes(' ')).map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
    ],
  });
  return pemOf(certificate, keys.privateKey);
}

/** The first digit keeps the number positive and of full length. */
const serialNumber = (): string => randomBytes(12).toString('hex').replace(/^./, '1');

async function pemOf(certificate: X509Certificate, key: webcrypto.CryptoKey): Promise<KeyPair> {
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`,
  };
}
