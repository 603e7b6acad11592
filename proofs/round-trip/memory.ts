import { parseAllowance } from '../../shared/backup/allowance.js';
import { type BackupOptions, backUp } from '../../shared/backup/backup.js';
import { type BackupKey, makeKeys, type RestoreKey, readBackupKey, readRestoreKey } from '../../shared/backup/keys.js';
import { planFor, type RestoreOptions, restore } from '../../shared/backup/restore.js';
import { isCounted, type RestorePlan } from '../../shared/backup/restore-plan.js';
import { keepingStore, quietPorts } from '../../shared/backup/testing/memory-store.js';
import { clustersOwn, putController } from '../../shared/backup/testing/memory-world.js';
import { run } from '../../shared/backup/testing/scene.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { keyOf, kinds } from '../../shared/cluster/objects.js';
import { type MemoryApi, memoryApi } from '../../shared/cluster/testing/memory-api.js';
import { McprtError } from '../../shared/errors.js';
import { observe } from '../../shared/facts/observation.js';
import { asSecret, type LiveSecret } from '../../shared/facts/secrets.js';
import { isClustersOwn, isPlatformNamespace } from '../../shared/platform/resources.js';
import type { Random } from '../random.js';
import type { Installation } from './installation.js';

/** What happens to a cluster before it is restored. */
const losses = ['platform', 'everything', 'new cluster', 'secrets'] as const;
const states = ['running', 'stopped', 'absent'] as const;

/** What one installation came to. */
export interface RoundTrip {
  outcome: 'restored' | 'refused';
  /** For a refusal: its code. */
  code: string;
  objects: number;
  leftOut: number;
  certificates: number;
  problems: string[];
}

export interface Keys {
  backup: BackupKey;
  restore: RestoreKey;
}

export async function roundTripKeys(): Promise<Keys> {
  const made = await makeKeys('classic');
  return {
    backup: readBackupKey(made.backup, () => undefined),
    restore: readRestoreKey(made.restore, () => undefined),
  };
}

/**
 * Backs an installation up, loses it, restores it, and compares: on an API server in memory, with the code that the
 * actions run. Whatever the backup accepts must come back, with the forecast that was given.
 */
export async function roundTrip(installation: Installation, keys: Keys, random: Random, now: Date): Promise<RoundTrip> {
  const problems: string[] = [];
  const { store, names } = keepingStore();
  const warn = (line: string): void => {
    if (line.includes('cannot remember')) problems.push(line);
  };
  const ports = quietPorts([store], { warn });
  const state = states[random.below(states.length)] ?? 'running';
  const before = worldOf(installation, state, now);
  const options: BackupOptions = { key: keys.backup, run, allow: [], dryRun: false };
  const made = await backUp(before.cluster, ports, options).catch((error: unknown) => error);
  let code = '';
  if (made instanceof Error) {
    if (!(made instanceof McprtError)) throw made;
    code = made.code;
    if (names().length > 0) problems.push(`refused with ${code}, and something was stored`);
    if (before.writes.length > 0) problems.push(`refused with ${code}, and written: ${before.writes.join(', ')}`);
    if (code !== 'backup-refused') {
      problems.push(`refused with ${code}: ${made.message}: ${made.why}`);
      return { outcome: 'refused', code, objects: 0, leftOut: 0, certificates: 0, problems };
    }
    // The message tells what to paste, and that must do.
    options.allow = [...made.next.matchAll(/`([a-z-]+:[^`]+)`/g)].flatMap(
      ([, text = '']) => parseAllowance(text) ?? [],
    );
  }
  const result =
    code === '' && !(made instanceof Error)
      ? (made as Awaited<ReturnType<typeof backUp>>)
      : await backUp(before.cluster, ports, options);
  const restoring: RestoreOptions = {
    key: keys.restore,
    run,
    overrides: { older: false },
    maxOrders: 0,
    maxAge: 14 * 24 * 3600_000,
    timeout: 60_000,
    dryRun: true,
  };
  await restore(before.cluster, ports, restoring);

  const loss = losses[random.below(losses.length)] ?? 'platform';
  const after = lose(before, installation, loss, state, now);
  const fingerprint = before.find(kinds.namespace, { name: 'kube-system' })?.metadata.uid ?? '';
  const overrides = loss === 'new cluster' ? { older: false, fromCluster: fingerprint } : { older: false };
  const done = await restore(after.cluster, ports, { ...restoring, overrides, dryRun: false });
  const where = `${loss}, cert-manager ${state}`;
  if (done.newOrders.length > 0) problems.push(`${where}: orders: ${done.newOrders.join(', ')}`);
  problems.push(...(await compared(after, installation, done.plan)).map((line) => `${where}: ${line}`));

  const written = after.writes.length;
  await restore(after.cluster, ports, { ...restoring, overrides, dryRun: false });
  const again = after.writes
    .slice(written)
    .filter(
      (line) =>
        !/admissionregistration|mcprt-barrier|cert-manager\.io|POST .*\/namespaces\/cert-manager\/secrets$/.test(line),
    );
  if (again.length > 0) problems.push(`${where}: a second restore wrote ${again.slice(0, 5).join(', ')}`);
  return {
    outcome: code === '' ? 'restored' : 'refused',
    code,
    objects: result.snapshot.objects.length,
    leftOut: result.leftOut.length,
    certificates: result.snapshot.certificates.length,
    problems,
  };
}

/** A cluster with an installation, and the little of cert-manager that a restore waits for. */
function worldOf(installation: Installation, state: (typeof states)[number], now: Date): MemoryApi {
  const api = memoryApi({ now: () => now });
  clustersOwn(api);
  for (const object of installation.objects) api.put(object);
  putController(api, state, installation.controller);
  return api;
}

/** Loses a cluster in one of the ways that users do. */
function lose(
  before: MemoryApi,
  installation: Installation,
  loss: (typeof losses)[number],
  state: (typeof states)[number],
  now: Date,
): MemoryApi {
  if (loss === 'new cluster') {
    const fresh = memoryApi({ now: () => now });
    clustersOwn(fresh);
    putController(fresh, state, installation.controller);
    return fresh;
  }
  if (loss === 'secrets') {
    // Where cert-manager runs it would order at once: its controller was down.
    putController(before, 'stopped', installation.controller);
    for (const { secret } of installation.certificates) before.remove(kinds.secret, refOf(secret));
    return before;
  }
  for (const { metadata } of before.objects(kinds.namespace)) {
    const { name } = metadata;
    const goes =
      loss === 'platform'
        ? isPlatformNamespace(name)
        : !isClustersOwn(name) && !(name === 'cert-manager' && state !== 'absent');
    if (goes) before.remove(kinds.namespace, { name });
  }
  if (loss === 'everything') {
    for (const { key, secret } of installation.certificates.filter((one) =>
      isClustersOwn(one.key.split('/')[0] ?? ''),
    )) {
      before.remove(kinds.certificate, refOf(key));
      before.remove(kinds.secret, refOf(secret));
    }
  }
  return before;
}

function refOf(key: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

/** Makes Certificates and Ingresses again, as installers and people do, and holds what then is against what was and was forecast. */
async function compared(after: MemoryApi, installation: Installation, plan: RestorePlan): Promise<string[]> {
  const problems: string[] = [];
  for (const object of installation.objects) {
    const { metadata } = object;
    const isCertificate = object.kind === 'Certificate';
    if (!isCertificate && object.kind !== 'Ingress' && object.kind !== 'ClusterIssuer' && object.kind !== 'Issuer')
      continue;
    const kind = isCertificate
      ? kinds.certificate
      : object.kind === 'Ingress'
        ? kinds.ingress
        : object.kind === 'Issuer'
          ? kinds.issuer
          : kinds.clusterIssuer;
    if (after.find(kind, metadata) !== undefined) continue;
    const { status: _, ...fresh } = object;
    if (metadata.namespace !== undefined && after.find(kinds.namespace, { name: metadata.namespace }) === undefined) {
      after.put(objectOf(kinds.namespace, { metadata: { name: metadata.namespace } }));
    }
    after.put(fresh);
  }
  const seen = await observe(after.cluster);
  const nothing = { objects: [], certificates: [], ledger: [] };
  const { plan: now } = await planFor(after.cluster, seen, nothing, {
    recordedCertManager: '',
    mask: () => undefined,
  });
  const found = new Map(now.certificates.map((one) => [keyOf(one), one]));
  for (const told of plan.certificates) {
    const is = found.get(keyOf(told));
    if (is?.verdict !== told.verdict || is.reason !== told.reason) {
      problems.push(
        `${keyOf(told)}: forecast ${told.verdict} (${told.reason}), and it is ${is?.verdict} (${is?.reason})`,
      );
    }
  }
  if (plan.certificates.some(isCounted)) problems.push('an order was counted, and 0 are allowed');
  const originals = new Map(
    installation.objects
      .filter(({ kind }) => kind === 'Secret')
      .map((object) => [keyOf(object.metadata), asSecret(object)]),
  );
  for (const { key, secret, health } of installation.certificates) {
    if (health !== 'healthy' && health !== 'due') continue;
    const told = found.get(key);
    const wanted = health === 'due' ? ['order', 'not-owner'] : ['keep', 'not-owner'];
    if (!wanted.includes(told?.verdict ?? ''))
      problems.push(`${key} is ${health}, and would be ${told?.verdict}: ${told?.reason}`);
    const [was, is] = [originals.get(secret), after.find(kinds.secret, refOf(secret)) as LiveSecret | undefined];
    if (was !== undefined && was.data?.['tls.crt'] !== is?.data?.['tls.crt'])
      problems.push(`${key}: another certificate than before`);
  }
  return problems;
}
