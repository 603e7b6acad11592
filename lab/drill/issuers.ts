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
    const plan = planOf(record, (role) =>
      objects
        .filter((one) => hasRole(one, role))
        .map(({ object: { metadata } }) => ({ name: metadata.name, namespace: metadata.namespace ?? '' })),
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
  secretsOf: (role: Role) => { name: string; namespace: string }[],
): IssuerPlan {
  const { name } = spec.issuerRef;
  const kind = kindOf(spec.issuerRef.kind) === 'ClusterIssuer' ? 'ClusterIssuer' : 'Issuer';
  const own = kind === 'Issuer' ? { namespace: metadata.namespace } : {};
  const base = { name, kind, ...own } as const;
  const group = groupOf(spec.issuerRef.group);
  if (group !== 'cert-manager.io') {
    return { ...base, stand: 'left-out', secret: undefined, note: `it is one of ${group}, which the lab does not run` };
  }
  const keys = secretsOf(acme ? 'account-key' : 'ca-key');
  const keyIn = (where: (namespace: string) => boolean): string | undefined =>
    fitting(
      keys.filter(({ namespace }) => where(namespace)).map((key) => key.name),
      name,
    );
  const secret = keyIn((namespace) => namespace === (own.namespace ?? clusterResources));
  if (secret !== undefined) return { ...base, stand: acme ? 'acme' : 'ca', secret, note: '' };
  const isElsewhere = kind === 'ClusterIssuer' && keyIn((namespace) => namespace !== clusterResources) !== undefined;
  const where = isElsewhere
    ? `where the lab looks for ${acme ? 'account' : 'CA'} keys, which is ${clusterResources}, there is none of it: yours are elsewhere in the backup`
    : `no ${acme ? 'account' : 'CA'} key of it is in the backup`;
  return acme
    ? { ...base, stand: 'acme', secret, note: isElsewhere ? where : `${where}: a new account would be made` }
    : { ...base, stand: 'left-out', secret, note: `it is no ACME issuer, and ${where}` };
}

/** A backup does not tell which key belongs to which issuer: the name does, or that there is only one. */
function fitting(secrets: readonly string[], issuer: string): string | undefined {
  return (
    secrets.find((name) => name === issuer) ??
    secrets.find((name) => name.startsWith(issuer)) ??
    (secrets.length === 1 ? secrets[0] : undefined)
  );
}
