import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { withoutMasks } from '../../lab/driver/action.js';
import { type KeySet, makeKeys, readRestoreKey } from '../../shared/backup/keys.js';
import { restore } from '../../shared/backup/restore.js';
import { authenticate, sealBackup } from '../../shared/backup/seal.js';
import type { Snapshot } from '../../shared/backup/snapshot.js';
import { nameFor, type Store } from '../../shared/backup/stores/store.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { type Kind, kinds } from '../../shared/cluster/objects.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { asSecret } from '../../shared/facts/secrets.js';
import type { RunContext } from '../../shared/run-context.js';
import { seeded, seedOf } from '../random.js';
import { keyCanaries } from '../support/canaries.js';
import { type Canary, type LeakSearch, leakSearch, secretText } from '../support/leaks.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { mustWork } from '../support/runs.js';
import { inWorld, type World } from '../world/world.js';
import { damagedPayloads, flippedBits, swapped, wrongSizes } from './bytes.js';
import { maliciousContents } from './contents.js';
import { wrongKeys } from './keys.js';
import { type Case, type Material, materialOf } from './material.js';
import { recordingCluster } from './recording.js';
import { wrongContexts, wrongStatements } from './statements.js';

const run: RunContext = {
  repository: 'acme/platform',
  repositoryId: '42',
  workflow: 'restore.yml',
  runId: '2',
  runAttempt: '1',
  job: 'restore',
  domain: 'example.com',
  tool: 'mcprt proof',
};
const day = 24 * 3600_000;
/** Sets of parallel work: an in-process restore is one round of reads, a bundle is a process. */
const parallel = { restores: 8, bundles: 2 };

/** Corrupted, foreign and replayed backups, and wrong keys: each is refused for its own reason, before any write. */
export const corrupt: Proof = {
  name: 'corrupt',
  claim:
    'every corrupted, foreign, replayed or forged backup is refused by its own code, with no write and no secret told',
  run: (context) => inWorld(context, ['platform'], (world) => refuseAll(context, world)),
};

async function refuseAll(context: ProofContext, world: World) {
  const random = seeded(seedOf(context.env));
  const foreign = await makeKeys('hybrid');
  const backups = await twoBackups(world);
  const material = await materialOf(backups, { keys: world.keys, foreign }, random, context.small ? 2 : 24);
  const cases = await casesOf(material);
  context.progress(`  ${cases.length} cases with seed ${random.seed}`);

  const search = leakSearch(secretsOf(material.snapshot, [material.keys, material.foreign]));
  let refused: boolean[] = [];
  const { cluster, writes } = await recordingCluster(world.kubeconfig);
  try {
    await acceptsTheValidOne(context, cluster, material);
    refused = await pMap(cases, (one) => inProcess(context, cluster, material, search, one), {
      concurrency: parallel.restores,
    });
    for (const write of writes) context.fail(`a refused backup led to ${write}`);
  } finally {
    await cluster.close();
  }
  const shipped = representatives(cases, context.small ? 4 : 16);
  const before = await versions(world.cluster);
  await pMap(shipped, (one, at) => inBundle({ context, world, material, search }, one, at), {
    concurrency: parallel.bundles,
  });
  const after = await versions(world.cluster);
  const changed = [...new Set([...before, ...after])].filter((one) => !(before.has(one) && after.has(one)));
  for (const one of changed) context.fail(`the shipped bundle changed ${one}`);
  return {
    cases: cases.length,
    classes: new Set(cases.map((one) => one.class)).size,
    codes: new Set(cases.map(({ code }) => code)).size,
    refused: refused.filter(Boolean).length,
    bundles: shipped.length,
    writes: writes.length + changed.length,
    seed: random.seed,
  };
}

/** Two generations of one cluster, made by the shipped bundle. */
async function twoBackups(world: World): Promise<{ older: Buffer; newest: Buffer }> {
  for (const runId of ['1', '2']) {
    mustWork(`backup ${runId}`, await world.backup('backup', {}, { GITHUB_RUN_ID: runId }));
  }
  const names = (await readdir(world.backups)).sort();
  const [older, newest] = await Promise.all(names.map((name) => readFile(join(world.backups, name))));
  if (older === undefined || newest === undefined) throw new Error('there are no two backups');
  return { older, newest };
}

async function casesOf(material: Material): Promise<Case[]> {
  const made = await Promise.all([
    flippedBits(material),
    wrongSizes(material),
    swapped(material),
    damagedPayloads(material, await largePayload(material)),
    wrongStatements(material),
    wrongContexts(material, new Date()),
    maliciousContents(material),
    wrongKeys(material),
  ]);
  return made.flat();
}

/** A payload of several chunks of 64 KiB, so that one can be cut off at a border. */
async function largePayload({ snapshot, context, backupKey, restoreKey }: Material): Promise<Buffer> {
  const [first] = snapshot.certificates;
  const large: Snapshot = { ...snapshot, certificates: first ? Array.from({ length: 400 }, () => first) : [] };
  const { archive } = await authenticate(await sealBackup(large, context, backupKey), restoreKey.signers);
  return archive.payload;
}

/** The same harness accepts the valid backup: what it refuses is refused for what was changed. */
async function acceptsTheValidOne({ fail }: ProofContext, cluster: Cluster, material: Material): Promise<void> {
  const valid: Case = { class: 'control', name: 'valid', code: 'none-expected', bytes: material.newest };
  await attempt(cluster, material, valid, true, () => undefined).catch((error: unknown) =>
    fail(`the valid backup is refused: ${messageOf(error)}`),
  );
}

function attempt(
  cluster: Cluster,
  material: Material,
  one: Case,
  dryRun: boolean,
  say: (line: string) => void,
): Promise<unknown> {
  const key = readRestoreKey(one.restoreKey ?? material.keys.restore, () => undefined);
  const found = {
    // Under the name that is looked for: a store gives nothing else.
    name: nameFor(one.run?.domain ?? run.domain, 2, { runId: '2', runAttempt: '1' }),
    foreign: undefined,
    fetch: () => Promise.resolve(one.bytes),
    remove: () => Promise.reject(new Error('a restore deletes nothing')),
  };
  const store: Store = {
    name: 'cache',
    fate: 'this process',
    save: () => Promise.reject(new Error('a restore stores nothing')),
    read: found.fetch,
    list: () => Promise.resolve({ entries: [found], cut: undefined, where: '' }),
    holds: () => Promise.reject(new Error('a restore does not ask')),
  };
  return restore(
    cluster,
    { stores: [store], progress: say, warn: say, signal: AbortSignal.timeout(60_000), mask: () => undefined },
    {
      key,
      run: { ...run, ...one.run },
      overrides: { older: false },
      maxOrders: 100,
      maxAge: 14 * day,
      timeout: 60_000,
      dryRun,
    },
  );
}

/** Has one case restored. @returns whether it was refused as it must be */
async function inProcess(
  context: ProofContext,
  cluster: Cluster,
  material: Material,
  search: LeakSearch,
  one: Case,
): Promise<boolean> {
  const said: string[] = [];
  const { expect, expectSame, fail } = context.about(`${one.class}: ${one.name}`);
  try {
    await (async () => attempt(cluster, material, one, false, (line) => said.push(line)))();
    fail('it was restored');
    return false;
  } catch (error) {
    const leaks = leaksOf(one, search, [...said, ...textsOf(error)].join('\n'));
    const got = error instanceof McprtError ? error.code : `${messageOf(error)} (unexpected)`;
    const isRight = expect(got === one.code, `refused with ${got}, not ${one.code}`);
    return expectSame('what the error tells', leaks, []) && isRight;
  }
}

/** The same case, through the shipped bundle and a directory. */
async function inBundle(
  { context, world, material, search }: { context: ProofContext; world: World; material: Material; search: LeakSearch },
  one: Case,
  at: number,
): Promise<void> {
  const directory = join(context.folder, `case-${at}`);
  await mkdir(directory);
  await writeFile(join(directory, 'mcprt-backup-example.com-g00000002-r2.1.mcprt'), one.bytes);
  const result = await world.backup(
    'restore',
    {
      directory,
      'max-orders': '100',
      'restore-key': one.restoreKey ?? material.keys.restore,
      domain: one.run?.domain ?? run.domain,
    },
    one.run?.repositoryId === undefined ? {} : { GITHUB_REPOSITORY_ID: one.run.repositoryId },
  );
  const { expect, expectRefused, expectSame } = context.about(`bundle: ${one.class}: ${one.name}`);
  const shown = [withoutMasks(result.log), result.summary, JSON.stringify(result.outputs)].join('\n');
  expectRefused('the restore', one.code, result);
  expect(result.summary.includes(one.code), 'the summary does not name the code');
  expectSame('what it tells', leaksOf(one, search, shown), []);
}

/** Some cases of every code first, then of every class. */
function representatives(cases: readonly Case[], count: number): Case[] {
  const byCode = new Map(cases.map((one) => [one.code, one]));
  const byClass = new Map(cases.map((one) => [one.class, one]));
  // Two domains look for two names: the bundle would find no backup at all.
  return [...new Set([...byCode.values(), ...byClass.values()])]
    .filter(({ run: other }) => other?.domain === undefined)
    .slice(0, count);
}

/** Canaries in a text: those of the material, and the key that only this case holds. */
function leaksOf({ secrets = [] }: Case, search: LeakSearch, text: string): string[] {
  const own = leakSearch(secrets.map((value): Canary => ({ name: 'the given key', value })));
  return [...search.in(text), ...own.in(text)];
}

/** Every secret value of a snapshot and of sets of keys. Certificates are public. */
function secretsOf({ objects }: Snapshot, sets: readonly KeySet[]): Canary[] {
  const values = objects
    .filter(({ object }) => object.kind === 'Secret')
    .flatMap(({ object }) =>
      Object.entries(asSecret(object).data ?? {})
        .filter(([key]) => !key.endsWith('.crt'))
        .map(([key, value]): Canary => ({ name: `${object.metadata.name} ${key}`, value: secretText(value) })),
    );
  return [...values, ...sets.flatMap((set) => keyCanaries('a', set))];
}

/** All that an error could put into a log: it and its causes, with their stacks. */
function textsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const own = [error.message, error.stack ?? ''];
  const told = error instanceof McprtError ? [error.why, error.next] : [];
  return [...own, ...told, ...(error.cause === undefined ? [] : textsOf(error.cause))];
}

const written: readonly Kind[] = [
  kinds.namespace,
  kinds.secret,
  kinds.configMap,
  kinds.certificate,
  kinds.certificateRequest,
  kinds.order,
  kinds.issuer,
  kinds.clusterIssuer,
  kinds.admissionPolicy,
  kinds.admissionPolicyBinding,
];

/** Everything that a restore could write, with its version. */
async function versions(cluster: Cluster): Promise<Set<string>> {
  const lists = await Promise.all(written.map((kind) => cluster.list(kind)));
  return new Set(
    lists.flatMap(({ items }) =>
      items.map(
        ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name} ${metadata.resourceVersion}`,
      ),
    ),
  );
}
