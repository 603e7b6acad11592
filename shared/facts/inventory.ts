import { type IssuerSecretUse, issuerSecretRefs } from '../certificates/issuer-secrets.js';
import { groupOf, type IssuerRef, kindOf } from '../certificates/model.js';
import { keyOf } from '../cluster/objects.js';
import { managedNamespaces, platformNamespaces, platformSecrets, pullSecretName } from '../platform/resources.js';
import { type Asked, askedFor } from './asked-for.js';
import { type IsOurs, platformsOwn } from './namespaces.js';
import type { LiveCertificate, LiveIssuer, Observation } from './observation.js';
import { inOrder, type Reference, type Referrer, type Role } from './roles.js';

export type Inventoried = Pick<
  Observation,
  'certificates' | 'ingresses' | 'gateways' | 'issuers' | 'namespaces' | 'certManager'
>;

/**
 * Everything that a backup must hold, found by following references: Certificates to their Secrets and keystore
 * passwords, Ingresses and Gateways to the Certificates that are made for them, issuers to every Secret that cert-manager's
 * API lets them name, and the platform's own Secrets. A Secret has all the roles in which it is referred to.
 */
export function inventory(seen: Inventoried, isOurs: IsOurs = platformsOwn(seen)): Reference[] {
  const asked = askedFor(seen);
  const found: Reference[] = [
    ...issuersReferences(seen, asked, isOurs),
    ...seen.certificates.flatMap((one) => certificateReferences(one, isOurs)),
    ...asked.map((one) => askedReference(one, isOurs)),
    ...platformReferences(seen),
  ];
  const byKey = new Map<string, Reference>();
  for (const reference of found) {
    const key = keyOf(reference);
    const present = byKey.get(key);
    byKey.set(key, present === undefined ? reference : merged(present, reference));
  }
  return [...byKey.values()];
}

function merged(one: Reference, other: Reference): Reference {
  const { guessedBy: _, ...rest } = one;
  const isGuessed = one.guessedBy !== undefined && other.guessedBy !== undefined;
  return {
    ...rest,
    roles: inOrder([...one.roles, ...other.roles]),
    referrers: [...one.referrers, ...other.referrers],
    required: one.required || other.required,
    ...(isGuessed && one.guessedBy !== undefined ? { guessedBy: one.guessedBy } : {}),
  };
}

/** Issuers of other programs, whose credentials nothing here can find: for a warning. */
export function foreignIssuers({ certificates }: Pick<Observation, 'certificates'>): string[] {
  const foreign = certificates.filter(({ spec }) => groupOf(spec.issuerRef.group) !== 'cert-manager.io');
  return [
    ...new Set(foreign.map(({ spec }) => `${kindOf(spec.issuerRef.kind)}.${groupOf(spec.issuerRef.group)}`)),
  ].sort();
}

function certificateReferences({ metadata, spec }: LiveCertificate, isOurs: IsOurs): Reference[] {
  const namespace = metadata.namespace ?? '';
  const referrers = [{ kind: 'Certificate', namespace, name: metadata.name, isOurs: isOurs(namespace) }];
  const { jks, pkcs12 } = spec.keystores ?? {};
  const passwords = [jks, pkcs12].flatMap((store) => store?.passwordSecretRef?.name ?? []);
  return [
    ...passwords.map(
      (name): Reference => ({ roles: ['keystore-password'], namespace, name, referrers, required: true }),
    ),
    { roles: ['tls'], namespace, name: spec.secretName, referrers, required: true },
  ];
}

function askedReference({ certificate: { metadata, spec }, by }: Asked, isOurs: IsOurs): Reference {
  const namespace = metadata.namespace ?? '';
  const referrers = [{ ...by, namespace, isOurs: isOurs(namespace) }];
  return { roles: ['tls'], namespace, name: spec.secretName, referrers, required: true };
}

const roleOfUse: Record<IssuerSecretUse, Role> = {
  'account-key': 'account-key',
  ca: 'ca-key',
  credential: 'issuer-secret',
  pull: 'issuer-secret',
};

function issuersReferences(
  { issuers, certificates, certManager }: Inventoried,
  asked: readonly Asked[],
  isOurs: IsOurs,
): Reference[] {
  const users = Map.groupBy([...certificates, ...asked.map(({ certificate }) => certificate)], ({ metadata, spec }) =>
    issuerKey(spec.issuerRef, metadata.namespace ?? ''),
  );
  return issuers.flatMap((issuer) => {
    const using = new Set((users.get(keyOfIssuer(issuer)) ?? []).map(({ metadata }) => metadata.namespace ?? ''));
    const own =
      issuer.kind === 'ClusterIssuer'
        ? certManager.settings.clusterResourceNamespace
        : (issuer.metadata.namespace ?? '');
    const referrer: Referrer = {
      kind: issuer.kind,
      namespace: issuer.metadata.namespace ?? '',
      name: issuer.metadata.name,
      isOurs: [...using].some(isOurs),
    };
    return issuerSecretRefs(issuer.spec).flatMap(({ use, name, namespace, path, isGuess }): Reference[] =>
      // A solver's pod runs in the namespace of the Certificate, and starts without a pull Secret where there is none.
      (use === 'pull' ? [...using] : [namespace ?? own]).map((where) => ({
        roles: [roleOfUse[use]],
        namespace: where,
        name,
        referrers: [referrer],
        required: !isGuess && use !== 'pull',
        ...(isGuess ? { guessedBy: path } : {}),
      })),
    );
  });
}

function issuerKey({ name, kind, group }: IssuerRef, namespace: string): string {
  const isCluster = kindOf(kind) === 'ClusterIssuer';
  return `${groupOf(group)} ${kindOf(kind)} ${isCluster ? '' : namespace}/${name}`;
}

function keyOfIssuer({ kind, metadata }: LiveIssuer): string {
  return issuerKey({ name: metadata.name, kind }, metadata.namespace ?? '');
}

function platformReferences({ namespaces }: Pick<Observation, 'namespaces'>): Reference[] {
  const present = new Set(namespaces.map((namespace) => namespace.metadata.name));
  const pulls = new Set([
    platformNamespaces.sentinel,
    platformNamespaces.runtime,
    platformNamespaces.servers,
    ...managedNamespaces(namespaces),
  ]);
  const referrers = [{ kind: 'the platform', namespace: '', name: '', isOurs: true }];
  return [
    ...platformSecrets.map(({ required, ...ref }) => ({ ...ref, required })),
    ...[...pulls].map((namespace) => ({ namespace, name: pullSecretName, required: false })),
  ]
    .filter(({ namespace }) => present.has(namespace))
    .map((ref): Reference => ({ roles: ['platform-secret'], ...ref, referrers }));
}
