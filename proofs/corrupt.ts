import { type RunContext } from '../shared/run-context.js';
import { asSecret } from '../shared/facts/secrets.js';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { type KeySet, makeKeys, readRestoreKey } from '../shared/backup/keys.js';
import { restore } from '../shared/backup/restore.js';
import { authenticate, sealBackup } from '../shared/backup/seal.js';
import type { Snapshot } from '../shared/backup/snapshot.js';
import { nameFor, type Store } from '../shared/backup/stores/store.js';
import type { Cluster } from '../shared/cluster/cluster.js';
import { type Kind, kinds } from '../shared/cluster/objects.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { damagedPayloads, flippedBits, swapped, wrongSizes } from './corrupt/bytes.js';
import { maliciousContents } from './corrupt/contents.js';
import { wrongKeys } from './corrupt/keys.js';
import { type Case, type Material, materialOf, signerText } from './corrupt/material.js';
import { recordingCluster } from './corrupt/recording.js';
import { wrongContexts, wrongStatements } from './corrupt/statements.js';
import { type Canary, type LeakSearch, leakSearch, secretText, withoutMasks } from './leaks.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { seeded, seedOf } from './random.js';
import { onPlatform, type Rig } from './rig.js';

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
  run: (context) => onPlatform(context, prove),
};

async function prove(context: ProofContext, rig: Rig): Promise<Proven> {
  const random = seeded(seedOf(context.env));
  const foreign = await makeKeys('hybrid');
  const backups = await twoBackups(rig);
  const material = await materialOf(backups, { keys: rig.keys, foreign }, random, context.small ? 2 : 24);
  const cases = await casesOf(material);
  context.progress(`  ${cases.length} cases with seed ${random.seed}`);

  const search = leakSearch(secretsOf(material.snapshot, [material.keys, material.foreign]));
  const problems: string[] = [];
  let refused: string[][] = [];
  const { cluster, writes } = await recordingCluster(rig.state.kubeconfig);
  try {
    problems.push(...(await controlProblems(cluster, material)));
    refused = await pMap(cases, (one) => inProcess(cluster, material, search, one), {
      concurrency: parallel.restores,
    });
    problems.push(...refused.flat(), ...writes.map((write) => `a refused backup led to ${write}`));
  } finally {
    await cluster.close();
  }
  const shipped = representatives(cases, context.small ? 4 : 16);
  const before = await versions(rig.cluster);
  problems.push(
    ...(
      await pMap(shipped, (one, at) => inBundle({ context, rig, material, search }, one, at), {
        concurrency: parallel.bundles,
      })
    ).flat(),
  );
  const after = await versions(rig.cluster);
  const changed = [...new Set([...before, ...after])].filter((one) => !(before.has(one) && after.has(one)));
  problems.push(...changed.map((one) => `the shipped bundle changed ${one}`));
  return {
    ok: problems.length === 0,
    figures: {
      cases: cases.length,
      classes: new Set(cases.map((one) => one.class)).size,
      codes: new Set(cases.map(({ code }) => code)).size,
      refused: refused.filter((one) => one.length === 0).length,
      bundles: shipped.length,
      writes: writes.length + changed.length,
      seed: random.seed,
    },
    problems: problems.slice(0, 50),
  };
}

/** Two generations of one cluster, made by the shipped bundle. */
async function twoBackups(rig: Rig): Promise<{ older: Buffer; newest: Buffer }> {
  for (const runId of ['1', '2']) {
    const { code, log } = await rig.act('backup', {}, { GITHUB_RUN_ID: runId });
    if (code !== 0) throw new Error(`backup ${runId} failed:\n${withoutMasks(log)}`);
  }
  const names = (await readdir(rig.backups)).sort();
  const [older, newest] = await Promise.all(names.map((name) => readFile(join(rig.backups, name))));
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
async function controlProblems(cluster: Cluster, material: Material): Promise<string[]> {
  try {
    await attempt(cluster, material, { ...control(material), code: 'none-expected' }, true, () => undefined);
    return [];
  } catch (error) {
    return [`the valid backup is refused: ${messageOf(error)}`];
  }
}

function control({ newest }: Material): Case {
  return { class: 'control', name: 'valid', code: 'none-expected', bytes: newest };
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
    save: () => Promise.reject(new Error('a restore stores nothing')),
    read: found.fetch,
    list: () => Promise.resolve({ entries: [found], cut: undefined, where: '' }),
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

/** What is wrong with how one case was refused; nothing when it was as it must be. */
async function inProcess(cluster: Cluster, material: Material, search: LeakSearch, one: Case): Promise<string[]> {
  const said: string[] = [];
  const subject = `${one.class}: ${one.name}`;
  try {
    await (async () => attempt(cluster, material, one, false, (line) => said.push(line)))();
    return [`${subject}: it was restored`];
  } catch (error) {
    const leaks = leaksOf(one, search, [...said, ...textsOf(error)].join('\n'));
    const told = leaks.map((name) => `${subject}: the error tells ${name}`);
    const got = error instanceof McprtError ? error.code : `${messageOf(error)} (unexpected)`;
    return got === one.code ? told : [`${subject}: refused with ${got}, not ${one.code}`, ...told];
  }
}

/** The same case, through the shipped bundle and a directory. */
async function inBundle(
  { context, rig, material, search }: { context: ProofContext; rig: Rig; material: Material; search: LeakSearch },
  one: Case,
  at: number,
): Promise<string[]> {
  const directory = join(context.folder, `case-${at}`);
  await mkdir(directory);
  await writeFile(join(directory, 'mcprt-backup-example.com-g00000002-r2.1.mcprt'), one.bytes);
  const result = await rig.act(
    'restore',
    {
      directory,
      'max-orders': '100',
      'restore-key': one.restoreKey ?? material.keys.restore,
      domain: one.run?.domain ?? run.domain,
    },
    one.run?.repositoryId === undefined ? {} : { GITHUB_REPOSITORY_ID: one.run.repositoryId },
  );
  const subject = `bundle: ${one.class}: ${one.name}`;
  const shown = [withoutMasks(result.log), result.summary, JSON.stringify(result.outputs)].join('\n');
  const leaks = leaksOf(one, search, shown).map((name) => `${subject}: it tells ${name}`);
  const isRefused = result.code === 1 && result.error === one.code && result.summary.includes(one.code);
  return isRefused ? leaks : [`${subject}: exit ${result.code} with ${result.error}, not ${one.code}`, ...leaks];
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
        .map(
          ([key, value]): Canary => ({
            name: `${object.metadata.name} ${key}`,
            value: secretText(value),
          }),
        ),
    );
  const keyTexts = sets.flatMap(({ backup, restore: opener, offline }): Canary[] => [
    { name: 'a backup key', value: backup },
    { name: 'a signing key', value: signerText(backup) },
    { name: 'a restore key', value: opener },
    { name: 'an identity', value: Buffer.from(opener.split('.')[1] ?? '', 'base64url').toString() },
    { name: 'an offline key', value: offline.replace(/^#.*$/gm, '') },
  ]);
  return [...values, ...keyTexts];
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
