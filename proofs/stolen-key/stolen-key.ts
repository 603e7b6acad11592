import { makeKeys, readBackupKey, readRestoreKey, recipientId } from '../../shared/backup/keys.js';
import { limits } from '../../shared/backup/limits.js';
import { restore } from '../../shared/backup/restore.js';
import { type BackupContext, schema } from '../../shared/backup/statement.js';
import { nameFor } from '../../shared/backup/stores/store.js';
import { keepingStore, quietPorts } from '../../shared/backup/testing/memory-store.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { type MemoryApi, memoryApi } from '../../shared/cluster/testing/memory-api.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { isRecord } from '../../shared/json.js';
import { type Material, sealedText, signedBackup } from '../corrupt/material.js';
import { round1 } from '../support/figures.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { type Forgery, forgeries, now, world } from './forgeries.js';

/** What a forger holds: the secret of the job that backs up. */
type Stolen = Pick<Material, 'backupKey' | 'restoreKey'>;

export const stolenKey: Proof = {
  name: 'stolen-key',
  claim: 'backups forged with a stolen signing key write nothing outside their roles, and do not hold a restore up',
  async run(context) {
    const keys = await makeKeys('classic');
    const stolen: Stolen = {
      backupKey: readBackupKey(keys.backup, () => undefined),
      restoreKey: readRestoreKey(keys.restore, () => undefined),
    };
    const cases = forgeries();
    for (const forgery of cases) await attempt(context, stolen, forgery);
    context.progress(`  ${cases.length} forged backups`);
    const flood = await flooded(context, stolen);
    return { forged: cases.length, refused: cases.filter(({ code }) => code !== undefined).length, ...flood };
  },
};

/** Restores one forged backup on a cluster with victims, and notes what it did that its roles do not cover. */
async function attempt(context: ProofContext, stolen: Stolen, forgery: Forgery): Promise<void> {
  const { expect } = context.about(forgery.name);
  const api = memoryApi({ now: () => now });
  for (const object of world()) api.put(object);
  const before = statesOf(api);
  const bytes = await forged(stolen, {
    apiVersion: 'v1',
    kind: 'List',
    manifest: { roles: forgery.claims.map(({ roles }) => roles), certificates: forgery.certificates ?? [], ledger: [] },
    items: forgery.claims.map(({ object }) => object),
  });
  const code = await restored(api, stolen, bytes).then(
    () => undefined,
    (error: unknown) => (error instanceof McprtError ? error.code : messageOf(error)),
  );
  const isRight = code === forgery.code;
  expect(isRight, `it ended with ${code ?? 'a restore'}, not ${forgery.code ?? 'a restore'}`);
  const after = statesOf(api);
  for (const subject of new Set([...before.keys(), ...after.keys()])) {
    expect(before.has(subject) || forgery.writes?.[subject] !== undefined, `${subject} was made`);
    const [was, is] = [before.get(subject) ?? {}, after.get(subject) ?? {}];
    const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((field) => was[field] !== is[field]);
    const allowed = forgery.writes?.[subject] ?? [];
    const bad = changed.filter((field) => !allowed.includes(field));
    expect(bad.length === 0, `${subject} was changed: ${bad.join(', ')}`);
    const lacking = before.has(subject) ? [] : allowed.filter((field) => is[field] === undefined);
    expect(lacking.length === 0, `${subject} lacks ${lacking.join(', ')}: the case proves nothing`);
  }
  for (const subject of Object.keys(forgery.writes ?? {}))
    expect(after.has(subject), `${subject} was not written: the case proves nothing`);
}

/** Values, labels that are not the barrier's, and annotations that are not cert-manager's, of everything a restore could write. */
function statesOf(api: MemoryApi): Map<string, Record<string, string>> {
  // A restore notes for itself which backup it has taken: its number, and the names that it did not refuse.
  const own = [kinds.secret, kinds.configMap, kinds.namespace]
    .flatMap((kind) => api.objects(kind))
    .filter(({ metadata }) => metadata.name !== 'mcprt-anchor');
  return new Map(
    own.map((object) => [`${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`, stateOf(object)]),
  );
}

function stateOf({ metadata, data }: KubeObject): Record<string, string> {
  const labels = Object.entries(metadata.labels ?? {}).filter(
    ([name]) => !/cert-manager\.io|metadata\.name$/.test(name),
  );
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => !name.includes('cert-manager.io'));
  return {
    ...(isRecord(data) ? (data as Record<string, string>) : {}),
    ...Object.fromEntries(labels.map(([name, value]) => [`label ${name}`, value])),
    ...Object.fromEntries(annotations.map(([name, value]) => [`annotation ${name}`, value])),
  };
}

function contextOf({ backupKey }: Stolen): BackupContext {
  return {
    schema,
    repository: run.repository,
    repositoryId: run.repositoryId,
    workflow: 'w',
    runId: '2',
    runAttempt: '1',
    fingerprint: 'any',
    domain: run.domain,
    layout: 'split',
    generation: 2,
    createdAt: now.toISOString(),
    expiresAt: now.toISOString(),
    previous: '',
    recipients: backupKey.recipients.map(recipientId),
    inventory: { certificates: 0, secrets: 0, configMaps: 0, namespaces: 0 },
    certManager: 'v1.21.2',
    tool: 'forged',
  };
}

/** Seals and signs any document with the stolen key. */
async function forged(stolen: Stolen, document: { manifest: object; [member: string]: unknown }): Promise<Buffer> {
  const context = contextOf(stolen);
  const plain = JSON.stringify({ ...document, manifest: { context, ...document.manifest } });
  return signedBackup(stolen as Material, await sealedText(stolen as Material, Buffer.from(plain)), context);
}

const run = {
  repository: 'acme/platform',
  repositoryId: '42',
  workflow: 'restore.yml',
  runId: '3',
  runAttempt: '1',
  job: 'restore',
  domain: 'example.com',
  tool: 'mcprt proof',
};

async function restored(api: MemoryApi, stolen: Stolen, bytes: Buffer): Promise<unknown> {
  const name = nameFor(run.domain, 2, { runId: '2', runAttempt: '1' });
  const { store } = keepingStore();
  await store.save(name, bytes);
  return restore(api.cluster, quietPorts([store], { signal: AbortSignal.timeout(600_000) }), {
    key: stolen.restoreKey,
    run,
    overrides: { older: false, fromCluster: 'any' },
    maxOrders: 0,
    maxAge: 1e9,
    timeout: 60_000,
    dryRun: false,
  });
}

/** Records by the thousand, all for one Secret: the time grows with their number and not with its square. */
async function flooded({ fail, expect }: ProofContext, stolen: Stolen): Promise<Record<string, unknown>> {
  const spec = { secretName: 'one', dnsNames: ['a.example.com'], issuerRef: { name: 'x' } };
  const time = async (records: number): Promise<number> => {
    const certificates = Array.from({ length: records }, (_, index) => ({
      metadata: { name: `c${index}`, namespace: 'payments' },
      spec: { ...spec, dnsNames: [`a${index % 3}.example.com`] },
      origin: 'explicit',
      acme: true,
    }));
    const ledger = certificates.map((_, index) => ({
      identifiers: [`a${index % 3}.example.com`],
      serial: String(index),
      at: now.toISOString(),
    }));
    const [first] = forgeries().flatMap(({ claims }) =>
      claims.filter(({ object }) => object.metadata.name === 'own-tls'),
    );
    const item = { ...first?.object, metadata: { ...first?.object.metadata, namespace: 'payments', name: 'one' } };
    const bytes = await forged(stolen, {
      apiVersion: 'v1',
      kind: 'List',
      manifest: { roles: ['tls'], certificates, ledger },
      items: [item],
    });
    const api = memoryApi({ now: () => now });
    for (const object of world()) api.put(object);
    const started = performance.now();
    await restored(api, stolen, bytes).catch((error: unknown) => {
      if (!(error instanceof McprtError && error.code === 'restore-orders'))
        fail(`${records} records: ${messageOf(error)}`);
    });
    return performance.now() - started;
  };
  await time(500);
  const [some, many] = [await time(2000), await time(8000)];
  const ratio = round1(many / some);
  // Four times as many: by the square it would be sixteen times as long.
  expect(ratio <= 8, `8,000 records take ${ratio} times as long as 2,000`);
  return { records: 8000, ratioToQuarter: ratio, mostRecords: limits.records };
}
