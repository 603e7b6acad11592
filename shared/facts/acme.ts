import { groupOf, type IssuerRef, kindOf, type ObjectMeta } from '../certificates/model.js';
import type { Observation } from './observation.js';

/** What names an issuer: a Certificate, or a request of one. */
interface Asking {
  metadata: Pick<ObjectMeta, 'namespace'>;
  spec: { issuerRef: IssuerRef };
}

/** Whether the issuer is an ACME one; one that nobody knows is taken for one, to be on the safe side. */
export function isAcme({ metadata, spec }: Asking, { issuers }: Pick<Observation, 'issuers'>): boolean {
  const { name, kind, group } = spec.issuerRef;
  if (groupOf(group) !== 'cert-manager.io') return false;
  const found = issuers.find(
    (issuer) =>
      issuer.kind === kindOf(kind) &&
      issuer.metadata.name === name &&
      (issuer.kind === 'ClusterIssuer' || issuer.metadata.namespace === metadata.namespace),
  );
  return found === undefined || found.spec.acme !== undefined;
}
