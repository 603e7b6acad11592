import type { CertificateFacts } from './x509.js';

/** How a certificate relates to another one for the same names. `indistinct`: different, and neither is newer. */
export type Relation = 'same' | 'newer' | 'older' | 'indistinct';

/**
 * Whether the first certificate is newer than the second: the same if issuer and serial are, else by notBefore, then by notAfter.
 * Never by when a Secret was created: a restored Secret is young and its certificate is not.
 */
export function compareLeaves(first: CertificateFacts, second: CertificateFacts): Relation {
  if (first.serial === second.serial && first.issuer.der.equals(second.issuer.der)) return 'same';
  const difference =
    first.notBefore.getTime() - second.notBefore.getTime() || first.notAfter.getTime() - second.notAfter.getTime();
  if (difference === 0) return 'indistinct';
  return difference > 0 ? 'newer' : 'older';
}
