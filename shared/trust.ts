import { getCACertificates } from 'node:tls';

/** The CAs that whoever asks the web trusts: those of Node, with what NODE_EXTRA_CA_CERTS adds, and further ones in PEM. */
export function trusted(caBundle: string): string[] {
  return [...getCACertificates('default'), ...(caBundle === '' ? [] : [caBundle])];
}
