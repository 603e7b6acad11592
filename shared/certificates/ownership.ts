import { annotation, type Certificate, type Secret } from './model.js';

/**
 * The name of the Certificate that owns a Secret which several Certificates name: the one in the Secret's certificate-name
 * annotation if it is among them, else the oldest, else the first by name. The others never order.
 * Source: cert-manager internal/controller/certificates/certificates.go CertificateOwnsSecret.
 * @param siblings all Certificates of the namespace; `certificate` is counted whether or not it is among them. One without a
 *   creation time is still to be created, and so is the youngest.
 */
export function ownerOfSecret(
  certificate: Certificate,
  secret: Secret | undefined,
  siblings: readonly Certificate[],
): string {
  const others = siblings.filter((sibling) => sibling.metadata.name !== certificate.metadata.name);
  const claimants = [certificate, ...others].filter(
    (claimant) => claimant.spec.secretName === certificate.spec.secretName,
  );
  const named = secret?.metadata.annotations?.[annotation.certificateName];
  if (named !== undefined && claimants.some((claimant) => claimant.metadata.name === named)) return named;
  return claimants.reduce((first, claimant) => (isBefore(claimant, first) ? claimant : first)).metadata.name;
}

function isBefore(first: Certificate, second: Certificate): boolean {
  const age = createdAt(first) - createdAt(second);
  return age < 0 || (!(age > 0) && first.metadata.name < second.metadata.name);
}

function createdAt(certificate: Certificate): number {
  const text = certificate.metadata.creationTimestamp;
  return text === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(text);
}
