/** What cert-manager's gateway-shim takes of a Gateway (pkg/controller/certificate-shim, controller for Gateway). */
import { isRecord } from '../json.js';
import type { Ingress, ObjectMeta } from './model.js';
import { certManagerVersion } from './version.js';

export interface Gateway {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly listeners?: readonly unknown[] };
}

const ignoreAnnotation = 'cert-manager.io/ignore-tls-listeners';

/**
 * A Gateway in the form of an Ingress: its annotations, and for each Secret of its listeners a TLS block with their hosts. The
 * shim treats both alike from there on, and says which one it is by the kind.
 * Source: cert-manager pkg/controller/certificate-shim/sync.go handleGatewayAPIListeners, validateGatewayListenerBlock.
 *
 * @param version of cert-manager
 */
export function gatewayAsIngress({ metadata, spec }: Gateway, version: string): Ingress {
  const isIgnorable = certManagerVersion(version).atLeast(1, 21);
  const ignored = isIgnorable
    ? (metadata.annotations?.[ignoreAnnotation] ?? '').split(',').map((one) => one.trim())
    : [];
  const hosts = new Map<string, string[]>();
  for (const listener of (spec.listeners ?? []).filter(isRecord)) {
    if (ignored.includes(String(listener.name))) continue;
    for (const secret of secretsOf(listener, metadata.namespace)) {
      hosts.set(secret, [...(hosts.get(secret) ?? []), String(listener.hostname)]);
    }
  }
  return {
    kind: 'Gateway',
    metadata,
    spec: { tls: [...hosts].map(([secretName, all]) => ({ secretName, hosts: all })) },
  };
}

/** The Secrets of a listener that certificates are made for; none where something in it keeps the shim from it. */
function secretsOf({ protocol, hostname, tls }: Record<string, unknown>, namespace: string | undefined): string[] {
  const isTls = protocol === 'HTTPS' || protocol === 'TLS';
  if (!isTls || typeof hostname !== 'string' || hostname === '' || !isRecord(tls)) return [];
  // The API server fills in the mode, and the kind and group of each reference.
  const { certificateRefs, mode = 'Terminate' } = tls;
  if (mode !== 'Terminate' || !Array.isArray(certificateRefs)) return [];
  const refs = certificateRefs.filter(isRecord);
  const isOwnSecret = ({
    group = '',
    kind = 'Secret',
    namespace: other = namespace,
  }: Record<string, unknown>): boolean =>
    (group === '' || group === 'core') && (kind === 'Secret' || kind === '') && other === namespace;
  return refs.every(isOwnSecret) ? refs.map(({ name }) => String(name ?? '')) : [];
}
