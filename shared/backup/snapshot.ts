import * as z from 'zod';
import type { Certificate } from '../certificates/model.js';
import { type KubeObject, keyOf, nameOf } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import type { LedgerEntry } from '../facts/anchor.js';
import { hasRole, inOrder, type Role, roles } from '../facts/roles.js';
import { managedNamespaces } from '../platform/resources.js';
import { limits } from './limits.js';
import { type RefusalRule, refusalRules } from './refusals.js';
import { covered, forbidden } from './role-rules.js';
import { type BackupContext, malformed } from './statement.js';

/** An object to be restored, cleaned of everything that only its old cluster gave it. */
export interface SnapshotObject {
  /** In the order of a restore; one at least. */
  roles: readonly Role[];
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
  /** The rule by which it had to be issued when the backup was made, which was told or allowed then. */
  accepted?: RefusalRule;
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
/** One word for an object with one role, as the first version of the format had it for all. */
const rolesShape = z.union([z.enum(roles), z.array(z.enum(roles)).min(1)]);
const texts = z.array(z.string()).optional();
const text = z.string().optional();
/** What the forecast reads of a spec; the API server checked more when the Certificate was made. */
const specShape = z.looseObject({
  secretName: z.string(),
  issuerRef: z.looseObject({ name: z.string(), kind: text, group: text }),
  commonName: text,
  dnsNames: texts,
  ipAddresses: texts,
  uris: texts,
  emailAddresses: texts,
  otherNames: z.array(z.looseObject({ oid: text, utf8Value: text })).optional(),
  subject: z
    .looseObject({
      organizations: texts,
      countries: texts,
      organizationalUnits: texts,
      localities: texts,
      provinces: texts,
      streetAddresses: texts,
      postalCodes: texts,
      serialNumber: text,
    })
    .optional(),
  literalSubject: text,
  duration: text,
  renewBefore: text,
  renewBeforePercentage: z.number().optional(),
  renewal: z
    .looseObject({
      policy: text,
      windows: z.array(z.looseObject({ cron: z.string(), timezone: text, windowDuration: text })).optional(),
    })
    .optional(),
  usages: texts,
  isCA: z.boolean().optional(),
  privateKey: z
    .looseObject({ algorithm: text, size: z.number().optional(), encoding: text, rotationPolicy: text })
    .optional(),
});
const documentShape = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('List'),
  manifest: z.strictObject({
    context: z.unknown(),
    roles: z.array(rolesShape).max(limits.objects),
    certificates: z
      .array(
        z.strictObject({
          metadata: z.strictObject({ name: z.string(), namespace: z.string() }),
          spec: specShape,
          origin: z.enum(['explicit', 'shim']),
          acme: z.boolean(),
          accepted: z.enum(refusalRules).optional(),
        }),
      )
      .max(limits.records),
    ledger: z
      .array(z.strictObject({ identifiers: z.array(z.string()), serial: z.string(), at: z.iso.datetime() }))
      .max(limits.records),
  }),
  items: z.array(objectShape).max(limits.objects),
});

/**
 * The plaintext of a backup: a Kubernetes List in the order of a restore, which `kubectl apply` takes as it is, with a
 * manifest beside the items.
 */
export function encodeSnapshot(snapshot: Snapshot, context: BackupContext): Buffer {
  const { objects, certificates, ledger } = snapshot;
  const manifest = {
    context,
    roles: objects.map(({ roles: all }) => (all.length === 1 ? all[0] : all)),
    certificates,
    ledger,
  };
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
  const objects = items.map((object, index): SnapshotObject => {
    const given = manifest.roles[index] ?? [];
    return { roles: inOrder(typeof given === 'string' ? [given] : given), object: object as KubeObject };
  });
  refuseForbidden(objects);
  const certificates = manifest.certificates as CertificateRecord[];
  // An older version may have saved more of an object than its roles cover: that is not written.
  const written = objects.map((item) => ({ ...item, object: covered(item).object }));
  return { snapshot: { objects: written, certificates, ledger: manifest.ledger }, context: manifest.context };
}

/** Issuances worth remembering: Let's Encrypt looks back a week; two give room for clocks and refills. */
export function mergedLedger(entries: LedgerEntry[], now: Date): LedgerEntry[] {
  const horizon = now.getTime() - 14 * 24 * 3600 * 1000;
  const bySerial = new Map(entries.filter(({ at }) => Date.parse(at) > horizon).map((entry) => [entry.serial, entry]));
  return [...bySerial.values()].sort((a, b) => a.at.localeCompare(b.at) || a.serial.localeCompare(b.serial));
}

function refuseForbidden(objects: SnapshotObject[]): void {
  const managed = managedNamespaces(objects.filter((item) => hasRole(item, 'namespace')).map(({ object }) => object));
  const seen = new Set<string>();
  for (const item of objects) {
    const { object } = item;
    const subject = `${object.kind} ${keyOf(object.metadata)}`;
    const problem = forbidden(item, managed) ?? (seen.has(subject) ? 'it is there twice' : undefined);
    if (problem !== undefined) throw forbiddenObject(nameOf(object), problem);
    if (object.kind === 'Secret' && !Object.values(object.data ?? {}).every((one) => base64.safeParse(one).success)) {
      // The API server would refuse it, after other objects were written.
      throw malformed(`${nameOf(object)} has a value that is not base64`);
    }
    seen.add(subject);
  }
}

/** Objects of other kinds have members that the shape knows nothing of: they are told before it is asked. */
function refuseForeignKinds(json: unknown): void {
  const { success, data } = kindsShape.safeParse(json);
  const foreign = success
    ? data.items.find(({ apiVersion, kind }) => apiVersion !== 'v1' || !restoredKinds.some((one) => one === kind))
    : undefined;
  if (foreign !== undefined) {
    throw forbiddenObject(
      `an object of kind ${foreign.kind.slice(0, 40)} (${foreign.apiVersion.slice(0, 60)})`,
      'only Namespaces, Secrets and one ConfigMap are restored',
    );
  }
}

function forbiddenObject(object: string, why: string): McprtError {
  return new McprtError('backup-forbidden-object', {
    what: `the backup holds ${object}, which no backup of mcprt holds`,
    why,
    next: 'do not use this backup, and change the signing key: whoever made it had it',
  });
}
