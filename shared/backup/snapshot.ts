import { z } from 'zod';
import type { Certificate } from '../certificates/model.js';
import { type KubeObject, nameOf } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { platformConfig, portableConfigKeys } from '../platform/resources.js';
import type { LedgerEntry } from './anchor.js';
import { keyOf } from './observe.js';
import { kindOfRole, type Role, roles } from './roles.js';
import { type BackupContext, malformed } from './statement.js';

/** An object to be restored, cleaned of everything that only its old cluster gave it. */
export interface SnapshotObject {
  role: Role;
  object: KubeObject;
}

/** A Certificate as it was: never restored, but what the forecast of a restore is made for. */
export interface CertificateRecord {
  metadata: Pick<Certificate['metadata'], 'name'> & { namespace: string };
  spec: Certificate['spec'];
  /** Who made it: `shim` when an Ingress owned it. */
  origin: 'explicit' | 'shim';
  /** Whether its issuer orders from an ACME server, where an order counts. */
  acme: boolean;
}

export interface Snapshot {
  objects: SnapshotObject[];
  certificates: CertificateRecord[];
  /** Issuances of the last weeks, gathered over the generations. */
  ledger: LedgerEntry[];
}

const metadataShape = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
    .optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const restoredKinds = ['Namespace', 'Secret', 'ConfigMap'] as const;
const base64 = z.base64();
const kindsShape = z.looseObject({ items: z.array(z.looseObject({ apiVersion: z.string(), kind: z.string() })) });
const objectShape = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.enum(restoredKinds),
  metadata: metadataShape,
  type: z.string().optional(),
  immutable: z.boolean().optional(),
  data: z.record(z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/), z.string()).optional(),
});
const documentShape = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('List'),
  manifest: z.strictObject({
    context: z.unknown(),
    roles: z.array(z.enum(roles)),
    certificates: z.array(
      z.strictObject({
        metadata: z.strictObject({ name: z.string(), namespace: z.string() }),
        spec: z.looseObject({ secretName: z.string(), issuerRef: z.looseObject({ name: z.string() }) }),
        origin: z.enum(['explicit', 'shim']),
        acme: z.boolean(),
      }),
    ),
    ledger: z.array(z.strictObject({ identifiers: z.array(z.string()), serial: z.string(), at: z.iso.datetime() })),
  }),
  items: z.array(objectShape).max(5000),
});

/** Types whose Secrets the cluster itself makes; restoring one would forge an identity. */
const forbiddenTypes = ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token', 'helm.sh/release.v1'];
const systemNamespaces = /^(?:kube-.*|default)$/;

/** Annotations that hold the whole object, or belong to who applied it before. */
const strippedAnnotations = ['kubectl.kubernetes.io/last-applied-configuration'];

/** An object without what only its cluster knows: UIDs, versions, owners, status, other managers' bookkeeping. */
export function cleaned(object: KubeObject): KubeObject {
  const { name, namespace, labels, annotations } = object.metadata;
  const ownLabels = without(labels, ['kubernetes.io/metadata.name']);
  const ownAnnotations = without(annotations, strippedAnnotations);
  const { type, immutable, data } = object;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(ownLabels === undefined ? {} : { labels: ownLabels }),
      ...(ownAnnotations === undefined ? {} : { annotations: ownAnnotations }),
    },
    ...(type === undefined ? {} : { type }),
    ...(immutable === undefined ? {} : { immutable }),
    ...(data === undefined ? {} : { data }),
  };
}

/**
 * The plaintext of a backup: a Kubernetes List in the order of a restore, which `kubectl apply` takes as it is, with a
 * manifest beside the items.
 */
export function encodeSnapshot(snapshot: Snapshot, context: BackupContext): Buffer {
  const { objects, certificates, ledger } = snapshot;
  const manifest = { context, roles: objects.map(({ role }) => role), certificates, ledger };
  return Buffer.from(
    JSON.stringify({ apiVersion: 'v1', kind: 'List', manifest, items: objects.map(({ object }) => object) }),
  );
}

/**
 * Reads the plaintext of a backup, and refuses whatever a backup of ours never holds: whoever could sign one could
 * otherwise have a restore job write any object.
 *
 * @throws McprtError `backup-malformed`, `backup-forbidden-object`
 */
export function decodeSnapshot(plain: Buffer): { snapshot: Snapshot; context: unknown } {
  let json: unknown;
  try {
    json = JSON.parse(plain.toString('utf8'));
  } catch {
    // The parser's message may quote what it read, which is secret.
    throw malformed('its content is not JSON');
  }
  refuseForeignKinds(json);
  const parsed = documentShape.safeParse(json);
  if (!parsed.success) {
    throw malformed(`its content has no valid ${parsed.error.issues[0]?.path.join('.').slice(0, 80) || 'form'}`);
  }
  const { manifest, items } = parsed.data;
  if (manifest.roles.length !== items.length) {
    throw malformed('its manifest lists another number of objects than it holds');
  }
  const objects = items.map(
    (object, index): SnapshotObject => ({ role: manifest.roles[index] ?? 'tls', object: object as KubeObject }),
  );
  refuseForbidden(objects);
  const certificates = manifest.certificates as CertificateRecord[];
  return { snapshot: { objects, certificates, ledger: manifest.ledger }, context: manifest.context };
}

/** Issuances worth remembering: Let's Encrypt looks back a week; two give room for clocks and refills. */
export function mergedLedger(entries: LedgerEntry[], now: Date): LedgerEntry[] {
  const horizon = now.getTime() - 14 * 24 * 3600 * 1000;
  const bySerial = new Map(entries.filter(({ at }) => Date.parse(at) > horizon).map((entry) => [entry.serial, entry]));
  return [...bySerial.values()].sort((a, b) => a.at.localeCompare(b.at) || a.serial.localeCompare(b.serial));
}

function refuseForbidden(objects: SnapshotObject[]): void {
  const seen = new Set<string>();
  for (const { role, object } of objects) {
    const { kind, metadata } = object;
    const problem =
      kind !== kindOfRole(role).kind
        ? `a ${kind} cannot be a ${role}`
        : (kind === 'Namespace') !== (metadata.namespace === undefined)
          ? 'its scope is not that of its kind'
          : systemNamespaces.test(metadata.namespace ?? metadata.name)
            ? 'a restore never writes into the cluster’s own namespaces'
            : forbiddenTypes.includes(String(object.type ?? ''))
              ? `Secrets of type ${String(object.type)} are made by the cluster itself`
              : kind === 'ConfigMap' && !isPortableConfig(object)
                ? 'only the portable keys of the platform’s own ConfigMap are restored'
                : seen.has(`${kind} ${keyOf(metadata)}`)
                  ? 'it is there twice'
                  : undefined;
    if (problem !== undefined) throw forbidden(nameOf(object), problem);
    if (kind === 'Secret' && !Object.values(object.data ?? {}).every((value) => base64.safeParse(value).success)) {
      // The API server would refuse it, after other objects were written.
      throw malformed(`${nameOf(object)} has a value that is not base64`);
    }
    seen.add(`${kind} ${keyOf(metadata)}`);
  }
}

/** Objects of other kinds have members that the shape knows nothing of: they are told before it is asked. */
function refuseForeignKinds(json: unknown): void {
  const { success, data } = kindsShape.safeParse(json);
  const foreign = success
    ? data.items.find(({ apiVersion, kind }) => apiVersion !== 'v1' || !restoredKinds.some((one) => one === kind))
    : undefined;
  if (foreign !== undefined) {
    throw forbidden(
      `an object of kind ${foreign.kind.slice(0, 40)} (${foreign.apiVersion.slice(0, 60)})`,
      'only Namespaces, Secrets and one ConfigMap are restored',
    );
  }
}

function forbidden(object: string, why: string): McprtError {
  return new McprtError('backup-forbidden-object', {
    what: `the backup holds ${object}, which no backup of mcprt holds`,
    why,
    next: 'do not use this backup, and change the signing key: whoever made it had it',
  });
}

function isPortableConfig(object: KubeObject): boolean {
  const allowed: readonly string[] = portableConfigKeys;
  const keys = Object.keys((object.data ?? {}) as Record<string, string>);
  return keyOf(object.metadata) === keyOf(platformConfig) && keys.every((key) => allowed.includes(key));
}

function without(map: Record<string, string> | undefined, names: string[]): Record<string, string> | undefined {
  if (map === undefined) return undefined;
  const kept = Object.entries(map).filter(([name]) => !names.includes(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
