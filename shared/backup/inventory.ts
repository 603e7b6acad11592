import { isRecord } from '../json.js';
import { isManaged, platformNamespaces, platformSecrets, pullSecretName } from '../platform/resources.js';
import { keyOf, type LiveCertificate, type LiveIssuer, type Observation } from './observe.js';
import type { Reference, Role } from './roles.js';

/**
 * Everything that a backup must hold, found by following references: Certificates to their Secrets and keystore
 * passwords, Ingresses to TLS Secrets that cert-manager looks after, issuers to account keys, EAB, DNS-01 and CA keys,
 * and the platform's own Secrets. A Secret with several roles gets the earliest one in the order of a restore.
 */
export function inventory(
  seen: Pick<Observation, 'certificates' | 'ingresses' | 'issuers' | 'namespaces' | 'certManager'>,
): Reference[] {
  const found: Reference[] = [
    ...seen.issuers.flatMap((issuer) => issuerReferences(issuer, seen.certManager.namespace)),
    ...seen.certificates.flatMap(certificateReferences),
    ...ingressReferences(seen),
    ...platformReferences(seen),
  ];
  const byKey = new Map<string, Reference>();
  for (const reference of found) {
    const key = keyOf(reference);
    const present = byKey.get(key);
    byKey.set(
      key,
      present === undefined
        ? reference
        : {
            ...present,
            because: `${present.because}, ${reference.because}`,
            required: present.required || reference.required,
          },
    );
  }
  return [...byKey.values()];
}

function certificateReferences({ metadata, spec }: LiveCertificate): Reference[] {
  const namespace = metadata.namespace ?? '';
  const because = `Certificate ${namespace}/${metadata.name}`;
  return [
    // Of a Certificate's spec only keystores refer to Secrets, with the password that cert-manager writes them with.
    ...secretRefs(spec).map(
      (name): Reference => ({ role: 'keystore-password', namespace, name, because, required: true }),
    ),
    { role: 'tls', namespace, name: spec.secretName, because, required: true },
  ];
}

function issuerReferences(issuer: LiveIssuer, clusterResourceNamespace: string): Reference[] {
  const namespace = issuer.kind === 'ClusterIssuer' ? clusterResourceNamespace : (issuer.metadata.namespace ?? '');
  const because = `${issuer.kind} ${issuer.metadata.name}`;
  const reference = (role: Role, name: string): Reference => ({ role, namespace, name, because, required: true });
  const { acme, ca, ...others } = issuer.spec;
  const account = isRecord(acme) ? secretRefs({ privateKeySecretRef: acme.privateKeySecretRef }) : [];
  const further = isRecord(acme) ? secretRefs({ ...acme, privateKeySecretRef: undefined }) : [];
  const caSecret = isRecord(ca) && typeof ca.secretName === 'string' ? [ca.secretName] : [];
  return [
    ...account.map((name) => reference('account-key', name)),
    ...[...further, ...secretRefs(others)].map((name) => reference('issuer-secret', name)),
    ...caSecret.map((name) => reference('ca-key', name)),
  ];
}

/** TLS Secrets of Ingresses that ask cert-manager for them; a Secret that was put there by hand is not ours to keep. */
function ingressReferences({ ingresses }: Pick<Observation, 'ingresses'>): Reference[] {
  const asks = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer', 'kubernetes.io/tls-acme'];
  return ingresses
    .filter(({ metadata }) => asks.some((name) => metadata.annotations?.[name] !== undefined))
    .flatMap(({ metadata, spec }) =>
      (spec.tls ?? []).flatMap(({ secretName }): Reference[] =>
        secretName === undefined || secretName === ''
          ? []
          : [
              {
                role: 'tls',
                namespace: metadata.namespace ?? '',
                name: secretName,
                because: `Ingress ${keyOf(metadata)}`,
                required: true,
              },
            ],
      ),
    );
}

function platformReferences({ namespaces }: Pick<Observation, 'namespaces'>): Reference[] {
  const present = new Set(namespaces.map((namespace) => namespace.metadata.name));
  const managed = namespaces.filter(({ metadata }) => isManaged(metadata)).map(({ metadata }) => metadata.name);
  const pulls = new Set([
    platformNamespaces.sentinel,
    platformNamespaces.runtime,
    platformNamespaces.servers,
    ...managed,
  ]);
  return [
    ...platformSecrets
      .filter(({ namespace }) => present.has(namespace))
      .map(
        ({ namespace, name, required }): Reference => ({
          role: 'platform-secret',
          namespace,
          name,
          because: 'the platform',
          required,
        }),
      ),
    ...[...pulls]
      .filter((namespace) => present.has(namespace))
      .map(
        (namespace): Reference => ({
          role: 'platform-secret',
          namespace,
          name: pullSecretName,
          because: 'the platform',
          required: false,
        }),
      ),
  ];
}

/** Names in every `…SecretRef` below a value, at any depth: providers nest them as they please. */
function secretRefs(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(secretRefs);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([field, inner]) =>
    /secretref$/i.test(field) && isRecord(inner) && typeof inner.name === 'string' ? [inner.name] : secretRefs(inner),
  );
}
