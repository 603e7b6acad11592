import type { Certificate, CertificateSpec, CertificateStatus } from '../../certificates/model.js';
import { objectOf } from '../../cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../../cluster/testing/memory-api.js';
import { isCanary } from '../../facts/observation.js';
import { isRecord } from '../../json.js';
import type { RunContext } from '../../run-context.js';
import { type BackupOptions, type BackupResult, backUp } from '../backup.js';
import { type BackupKey, makeKeys, type RestoreKey, readBackupKey, readRestoreKey } from '../keys.js';
import type { Ports } from '../ports.js';
import { type RestoreOptions, type RestoreResult, restore } from '../restore.js';
import { day, encoded, type Issued, issuedSecret } from './issued.js';
import { keepingStore, quietPorts } from './memory-store.js';
import { clustersOwn, putController, type State } from './memory-world.js';

/** The API server's clock in these tests. */
export const now = new Date('2026-11-24T12:00:00Z');

export const run: RunContext = {
  repository: 'acme/platform',
  repositoryId: '42',
  workflow: 'w',
  runId: '1',
  runAttempt: '1',
  job: 'j',
  domain: 'example.com',
  tool: 'test',
};

/** A cluster in memory with a small platform, its keys and a store, and the operations on them. */
export interface Scene {
  api: MemoryApi;
  warnings: string[];
  names(): string[];
  backUp(options?: Partial<BackupOptions>): Promise<BackupResult>;
  restore(options?: Partial<RestoreOptions>, ports?: Partial<Ports>): Promise<RestoreResult>;
}

let keys: Promise<{ backup: BackupKey; restore: RestoreKey }> | undefined;

async function someKeys(): Promise<{ backup: BackupKey; restore: RestoreKey }> {
  const made = await makeKeys('classic');
  const unmasked = (): void => undefined;
  return { backup: readBackupKey(made.backup, unmasked), restore: readRestoreKey(made.restore, unmasked) };
}

/** What a cluster before Kubernetes 1.30 does not serve, while it serves the rest of the group. */
export const before130: Kind[] = [kinds.admissionPolicy, kinds.admissionPolicyBinding];

/**
 * @param more objects beside the platform's
 * @param unserved kinds that the cluster does not know
 */
export async function scene(
  state: State = 'running',
  more: readonly KubeObject[] = [],
  unserved: Kind[] = [],
): Promise<Scene> {
  keys ??= someKeys();
  const { backup, restore: restoreKey } = await keys;
  const api = memoryApi({ now: () => now, unserved });
  clustersOwn(api);
  putController(api, state);
  for (const object of [...platform(), ...more]) api.put(object);
  if (state === 'running') findReady(api);
  const { store, names } = keepingStore();
  const warnings: string[] = [];
  const ports = quietPorts([store], { warn: (line) => void warnings.push(line) });
  return {
    api,
    warnings,
    names,
    backUp: (options = {}) => backUp(api.cluster, ports, { key: backup, run, allow: [], dryRun: false, ...options }),
    restore: (options = {}, other = {}) =>
      restore(
        api.cluster,
        { ...ports, ...other },
        {
          key: restoreKey,
          run,
          overrides: { older: false },
          maxOrders: 0,
          maxAge: 14 * day,
          timeout: 60_000,
          dryRun: false,
          ...options,
        },
      ),
  };
}

/** cert-manager's readiness controller, as far as a restore waits for it: a Certificate whose Secret is written is Ready. */
function findReady(api: MemoryApi): void {
  const { after } = api.hooks;
  api.hooks.after = (event, object, itself) => {
    after?.(event, object, itself);
    if (event === 'DELETED' || object.kind !== 'Secret') return;
    const naming = api
      .objects(kinds.certificate)
      .filter(
        (one) =>
          one.metadata.namespace === object.metadata.namespace &&
          isRecord(one.spec) &&
          one.spec.secretName === object.metadata.name,
      );
    for (const one of naming.filter(({ metadata }) => !isCanary({ metadata }))) api.put({ ...one, status: ready(one) });
  };
}

/** Its other conditions stay: an issuance that is under way does not end by itself. */
function ready({ status }: KubeObject): unknown {
  const { conditions, ...rest }: Partial<CertificateStatus> = isRecord(status) ? status : {};
  const others = (conditions ?? []).filter(({ type }) => type !== 'Ready');
  return { ...rest, conditions: [...others, { type: 'Ready', status: 'True', reason: 'Ready' }] };
}

/** A Certificate. */
export function certificate(
  namespace: string,
  name: string,
  spec: Partial<CertificateSpec> = {},
): KubeObject & Certificate {
  return objectOf(kinds.certificate, {
    metadata: { name, namespace },
    spec: {
      secretName: `${name}-tls`,
      dnsNames: [`${name}.example.com`],
      privateKey: { algorithm: 'ECDSA', size: 256 },
      issuerRef: { name: 'le', kind: 'ClusterIssuer' },
      ...spec,
    },
  }) as KubeObject & Certificate;
}

/** The Secret of a Certificate, issued ten days ago for ninety, unless it is said otherwise. */
export function secretOf(of: KubeObject & Certificate, more: Partial<Issued> = {}): KubeObject {
  return issuedSecret({ certificate: of, now, age: 10 * day, life: 90 * day, ...more });
}

export function opaque(namespace: string, name: string, values: Record<string, string>, type = 'Opaque'): KubeObject {
  return objectOf(kinds.secret, { metadata: { name, namespace }, type, data: encoded(values) });
}

export function namespace(name: string, labels: Record<string, string> = {}): KubeObject {
  return objectOf(kinds.namespace, { metadata: { name, labels } });
}

/** The registry with its certificate and the issuer of it, and the platform's own Secret. */
function platform(): KubeObject[] {
  const registry = certificate('registry', 'registry-cert', { secretName: 'registry-tls' });
  const acme = { server: 'https://acme.invalid', privateKeySecretRef: { name: 'account' }, solvers: [] };
  return [
    namespace('registry'),
    namespace('mcp-sentinel'),
    objectOf(kinds.clusterIssuer, { metadata: { name: 'le' }, spec: { acme } }),
    opaque('cert-manager', 'account', { 'tls.key': 'k' }),
    opaque('mcp-sentinel', 'mcp-sentinel-secrets', { ADMIN_API_KEYS: 'a', JWT_SECRET: 'j' }),
    objectOf(kinds.configMap, {
      metadata: { name: 'mcp-sentinel-config', namespace: 'mcp-sentinel' },
      data: { OIDC_ISSUER: 'https://id' },
    }),
    registry,
    secretOf(registry),
  ];
}
