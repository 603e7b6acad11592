/** Finds what belongs to one Certificate among many: all lookups of a forecast are by these two questions. */
import { type Certificate, type CertificateRequest, controllerUid, type Secret } from './model.js';
import { ownerOfSecret } from './ownership.js';

export interface CertificateIndex {
  /**
   * The other Certificate that decides who owns the Secret of this one, which is all that `siblings` of a forecast are
   * for; empty where this one owns it.
   */
  claimants(certificate: Certificate): readonly Certificate[];
  /** The CertificateRequests that the Certificate controls. */
  requestsOf(certificate: Certificate): readonly CertificateRequest[];
}

/**
 * Groups Certificates by the Secret that they name and requests by their owner, so that thousands of them are forecast in
 * time that grows with their number and not with its square.
 *
 * @param secretOf the Secret under `namespace/name`
 */
export function certificateIndex(
  { certificates, requests }: { certificates: readonly Certificate[]; requests: readonly CertificateRequest[] },
  secretOf: (key: string) => Secret | undefined,
): CertificateIndex {
  const bySecret = Map.groupBy(certificates, secretKey);
  const byOwner = Map.groupBy(requests, ({ metadata }) => controllerUid(metadata) ?? '');
  const owners = new Map<string, Certificate | undefined>();
  const ownerFor = (key: string): Certificate | undefined => {
    if (!owners.has(key)) {
      const group = bySecret.get(key) ?? [];
      const [first] = group;
      const name = first && ownerOfSecret(first, secretOf(key), group);
      owners.set(
        key,
        group.find(({ metadata }) => metadata.name === name),
      );
    }
    return owners.get(key);
  };
  return {
    claimants(certificate) {
      const owner = ownerFor(secretKey(certificate));
      return owner === undefined ? [] : [owner];
    },
    requestsOf: ({ metadata: { uid } }) => (uid === undefined ? [] : (byOwner.get(uid) ?? [])),
  };
}

function secretKey({ metadata, spec }: Certificate): string {
  return `${metadata.namespace ?? ''}/${spec.secretName}`;
}
