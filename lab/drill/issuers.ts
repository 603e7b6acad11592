import type { CertificateRecord, Snapshot } from '../../shared/backup/snapshot.js';
import { groupOf, kindOf } from '../../shared/certificates/model.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { hasRole, type Role } from '../../shared/facts/roles.js';
import { acmeIssuer } from '../platform/resources.js';

/** An issuer that Certificates of a backup refer to, and what the drill puts in its place. */
export interface IssuerPlan {
  name: string;
  kind: 'ClusterIssuer' | 'Issuer';
  /** Only of an Issuer. */
  namespace?: string;
  /** `left-out`: the backup does not hold what it would take to make it. */
  stand: 'acme' | 'ca' | 'left-out';
  /** The restored Secret that it works with: an ACME account's key, or a CA's. */
  secret: string | undefined;
  /** What is worth saying about it; empty for nothing. */
  note: string;
}

/** Where cert-manager looks for the Secrets of ClusterIssuers, in the lab and by default everywhere. */
const clusterResources = 'cert-manager';

/**
 * The issuers to make in the lab. A backup holds no issuer, but tells for each Certificate whether its issuer is an ACME
 * one, and holds the keys. cert-manager judges a Certificate without looking at its issuer, so those that cannot be
 * made take nothing from the verdicts.
 */
export function planIssuers({ certificates, objects }: Snapshot): IssuerPlan[] {
  const plans = new Map<string, IssuerPlan>();
  for (const record of certificates) {
    const plan = planOf(record, (role, namespace) =>
      objects
        .filter((one) => hasRole(one, role) && one.object.metadata.namespace === namespace)
        .map(({ object }) => object.metadata.name),
    );
    plans.set(`${plan.kind} ${plan.namespace ?? ''}/${plan.name}`, plan);
  }
  return [...plans.values()];
}

/** The object for one plan. @param acme the lab's ACME server */
export function issuerObject(plan: IssuerPlan, acme: { directory: string; caBundle: string }): KubeObject | undefined {
  if (plan.stand === 'left-out') return undefined;
  const { name, namespace, secret } = plan;
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const kind = plan.kind === 'ClusterIssuer' ? kinds.clusterIssuer : kinds.issuer;
  const spec =
    plan.stand === 'ca' ? { ca: { secretName: secret } } : acmeIssuer(acme, 'drill@lab.invalid', name, secret).spec;
  return objectOf(kind, { metadata, spec });
}

/** The plan for the issuer of one Certificate. */
export function planFor<T extends IssuerPlan>(
  plans: readonly T[],
  { metadata, spec }: Pick<CertificateRecord, 'metadata' | 'spec'>,
): T | undefined {
  return plans.find(
    ({ name, kind, namespace }) =>
      name === spec.issuerRef.name &&
      kind === kindOf(spec.issuerRef.kind) &&
      (kind === 'ClusterIssuer' || namespace === metadata.namespace),
  );
}

function planOf(
  { metadata, spec, acme }: CertificateRecord,
  secretsOf: (role: Role, namespace: string) => string[],
): IssuerPlan {
  const { name } = spec.issuerRef;
  const kind = kindOf(spec.issuerRef.kind) === 'ClusterIssuer' ? 'ClusterIssuer' : 'Issuer';
  const own = kind === 'Issuer' ? { namespace: metadata.namespace } : {};
  const base = { name, kind, ...own } as const;
  const group = groupOf(spec.issuerRef.group);
  if (group !== 'cert-manager.io') {
    return { ...base, stand: 'left-out', secret: undefined, note: `it is one of ${group}, which the lab does not run` };
  }
  const secret = fitting(secretsOf(acme ? 'account-key' : 'ca-key', own.namespace ?? clusterResources), name);
  if (acme) {
    const note = secret === undefined ? 'no account key of it is in the backup: a new account would be made' : '';
    return { ...base, stand: 'acme', secret, note };
  }
  return secret === undefined
    ? { ...base, stand: 'left-out', secret, note: 'it is no ACME issuer, and no CA key of it is in the backup' }
    : { ...base, stand: 'ca', secret, note: '' };
}

/** A backup does not tell which key belongs to which issuer: the name does, or that there is only one. */
function fitting(secrets: readonly string[], issuer: string): string | undefined {
  return (
    secrets.find((name) => name === issuer) ??
    secrets.find((name) => name.startsWith(issuer)) ??
    (secrets.length === 1 ? secrets[0] : undefined)
  );
}
