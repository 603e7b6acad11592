import { mkdir, mkdtemp } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Github } from '../../lab/github/github.js';
import { makeKeys } from '../../shared/backup/keys.js';
import { numberAt, recordsAt } from '../../shared/cluster/fields.js';
import { kinds } from '../../shared/cluster/objects.js';
import { parsedJson } from '../../shared/json.js';
import { makeSteps, type Steps } from '../stores/steps.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { inWorld, type World } from '../world/world.js';
import { bytesOf, forkOf, nameOf, resealed, store, zipOf } from './planting.js';

const junk = zipOf(Buffer.from('planted'));
/** A list may show no kubeconfig at all: there is no cluster to ask. */
const offline = { kubeconfig: '' };

export const choose: Proof = {
  name: 'choose',
  claim:
    'of backups that are damaged, planted, replayed, of other keys, clusters and repositories, and among thousands of foreign artifacts, the right one is restored, the right warning given, or the right refusal with a way on; any generation can be chosen, and a list shows them all',
  run: (context) => inWorld(context, ['platform', 'github'], (world) => everyChoice(context, world)),
};

/** What the chapters share. */
interface Story extends Steps {
  context: ProofContext;
  world: World;
  github: Github;
  /** A later run of the default branch. */
  next(): Github;
  /** An empty folder. */
  folder(name: string): Promise<string>;
}

async function everyChoice(context: ProofContext, world: World<'github'>) {
  const { github } = world;
  const steps = makeSteps(world);
  let id = github.run.id;
  const story: Story = {
    step: steps.step,
    runs: steps.runs,
    context,
    world,
    github,
    next: () => github.as({ id: ++id }),
    folder: (name) => mkdtemp(join(context.folder, `${name}-`)),
  };
  const offsite = await generations(story);
  await foreignUploads(story);
  await elsewhere(story, offsite);
  await outsideOfGithub(story);
  await replay(story, offsite);
  await damaged(story);
  await keyChange(story);
  const foreignArtifacts = await thousands(story);
  return { runs: steps.runs(), foreignArtifacts };
}

/** Two generations in every store, each of which can be chosen. @returns the folder of the off-site copy */
async function generations({ world, step, next, folder, context }: Story): Promise<string> {
  const offsite = await folder('offsite');
  const all = { stores: 'cache,artifact,directory', directory: offsite };
  const first = await step(next(), 'backup', all, { outputs: { generation: '1' } });
  const second = await step(next(), 'backup', all, { outputs: { generation: '2' } });
  const both = { 'restore-key': world.keys.restore, 'backup-key': '' };
  const listed = await step(next(), 'list', { ...all, ...both, ...offline }, { says: ['✅ yes', 'cache, artifact'] });
  const list = parsedJson(listed.outputs.backups ?? '');
  const backups = recordsAt(list, 'backups');
  const seen = backups.map(({ name, generation, stores, readable }) => [name, generation, stores, readable]);
  const everywhere = ['cache', 'artifact', 'directory'];
  const wanted = [
    [second.outputs.name, 2, everywhere, true],
    [first.outputs.name, 1, everywhere, true],
  ];
  context.expectSame('the list', seen, wanted);
  context.expectSame('authentic ones', numberAt(list, 'counts', 'authentic'), 2);
  context.expectSame('readable ones', numberAt(list, 'counts', 'readable'), 2);
  context.expectSame('the cluster in the list', backups[0]?.cluster, second.outputs.fingerprint);
  await step(next(), 'list', offline, { says: ['✅ authentic'] });
  await step(next(), 'plan', {}, { outputs: { generation: '2', orders: '0' } });
  const older = { outputs: { generation: '1', orders: '0' }, says: ['the cluster remembers generation 2'] };
  const planned = await step(next(), 'plan', { generation: '1' }, older);
  await step(next(), 'verify', { name: first.outputs.name ?? '' }, { outputs: { generation: '1' } });
  await step(next(), 'fetch', { generation: '1', directory: await folder('copy') }, { outputs: { generation: '1' } });
  await step(next(), 'restore', { generation: '1', 'expect-plan': planned.outputs.plan ?? '' }, older);
  await step(
    next(),
    'restore',
    { generation: '2', 'expect-plan': planned.outputs.plan ?? '' },
    { error: 'restore-plan-moved', says: ['operation: plan'] },
  );
  const missing = {
    error: 'backup-missing',
    says: [`cache: ${second.outputs.name}`, `artifact: ${first.outputs.name}`],
  };
  await step(next(), 'plan', { generation: '9' }, missing);
  await step(
    next(),
    'plan',
    { generation: '1', name: nameOf(world, 1) },
    { error: 'input-invalid', says: ['give one of them'] },
  );
  return offsite;
}

/** What a pull request and another branch upload under newer names blocks nothing, and makes nothing older win. */
async function foreignUploads({ world, github, step, next }: Story): Promise<void> {
  forkOf(github, 501).plantArtifact(nameOf(world, 99_999_999), junk);
  const branch = github.as({ id: 502, event: 'push', ref: 'refs/heads/feature' });
  branch.plantArtifact(nameOf(world, 98), junk);
  next().plantArtifact(`${nameOf(world, 97)}-copy`, junk);
  const told = { outputs: { generation: '2' }, says: ['passed over: 3 entries of artifact that cannot be ours'] };
  for (const stores of ['artifact', 'cache,artifact']) {
    await step(next(), 'plan', { stores }, { ...told, outputs: { generation: '2', orders: '0' } });
    await step(next(), 'verify', { stores }, told);
  }
  await step(next(), 'list', offline, { says: ['3 entries of that name', 'pull request of a fork', 'branch feature'] });
  // On the branch itself its own uploads are as good as its runs are.
  const onBranch = github.as({ id: 503, ref: 'refs/heads/feature' });
  await step(onBranch, 'plan', { stores: 'artifact' }, { error: 'backup-newer-unreadable', says: [nameOf(world, 98)] });
}

/** Off-site copies of a lost repository, and of a lost cluster. */
async function elsewhere({ world, step, next, folder }: Story, offsite: string): Promise<void> {
  const inOther = (directory: string) => ({ stores: 'directory', directory });
  const other = next();
  const stranger = { ...other, env: { ...other.env, GITHUB_REPOSITORY: 'acme/new', GITHUB_REPOSITORY_ID: '77' } };
  const refused = { error: 'backup-foreign-repository', says: ['from-repository: 42'] };
  for (const operation of ['plan', 'verify']) await step(stranger, operation, inOther(offsite), refused);
  const taken = { ...inOther(offsite), 'from-repository': '42' };
  for (const operation of ['plan', 'verify', 'restore']) {
    await step(stranger, operation, taken, { outputs: { generation: '2' } });
  }
  await step(stranger, 'plan', { ...taken, 'from-repository': '43' }, refused);
  await step(stranger, 'list', { ...inOther(offsite), ...offline }, { says: ['acme/platform (`42`)'] });

  const lost = await resealed(world, await bytesOf(offsite, 2), { generation: 5, fingerprint: 'a-lost-cluster' });
  const [only, beside] = [await folder('lost'), await folder('beside')];
  await store(only, lost);
  await store(beside, lost, { name: nameOf(world, 2), bytes: await bytesOf(offsite, 2) });
  const named = { 'from-cluster': 'a-lost-cluster' };
  const says = ['from-cluster: a-lost-cluster'];
  await step(next(), 'plan', inOther(only), { error: 'backup-foreign-cluster', says });
  await step(next(), 'plan', { ...inOther(only), generation: '5' }, { error: 'backup-foreign-cluster', says });
  await step(next(), 'plan', { ...inOther(only), ...named }, { outputs: { generation: '5' } });
  await step(next(), 'plan', inOther(beside), {
    outputs: { generation: '2' },
    says: ['passed over: directory', '(backup-foreign-cluster)'],
  });
}

/** A machine that is no runner has a name of its own, and no empty one that any other has too. */
async function outsideOfGithub({ world, step, next, folder }: Story): Promise<void> {
  const directory = await folder('local');
  const inputs = { stores: 'directory', directory };
  const runner = next();
  const nowhere = { ...runner, env: { GITHUB_REPOSITORY: '', GITHUB_REPOSITORY_ID: '' } };
  const origin = `local/${hostname()}`;
  await step(nowhere, 'backup', inputs, { says: [origin] });
  await step(nowhere, 'plan', inputs, { outputs: { orders: '0' } });
  const refused = { error: 'backup-foreign-repository', says: [`from-repository: ${origin}`] };
  await step(runner, 'plan', inputs, refused);
  await step(runner, 'plan', { ...inputs, 'from-repository': origin }, { outputs: { orders: '0' } });

  const before = await folder('before');
  const empty = { repository: '', repositoryId: '', generation: 3 };
  await store(before, await resealed(world, await bytesOf(directory, 3), empty));
  const old = { stores: 'directory', directory: before, allow: 'older-backup' };
  await step(nowhere, 'plan', old, { outputs: { generation: '3' } });
  await step(runner, 'plan', old, { error: 'backup-foreign-repository', says: ['from-repository: none'] });
  await step(runner, 'plan', { ...old, 'from-repository': 'none' }, { outputs: { generation: '3' } });
}

/** A genuine old backup under a new name. */
async function replay({ world, step, next, folder, github }: Story, offsite: string): Promise<void> {
  const old = await bytesOf(offsite, 1);
  const directory = await folder('replay');
  await store(directory, { name: nameOf(world, 50), bytes: old });
  const inputs = { stores: 'directory', directory };
  await step(next(), 'plan', inputs, { error: 'backup-rollback', says: ['generation: 1'] });
  await step(next(), 'plan', { ...inputs, generation: '50' }, { error: 'backup-renamed', says: ['generation: 1'] });
  await store(directory, { name: nameOf(world, 2), bytes: await bytesOf(offsite, 2) });
  // The newest of the real ones is what counts: the cluster has made one outside of GitHub meanwhile.
  await world.cluster.delete(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-anchor' });
  await step(next(), 'plan', inputs, { outputs: { generation: '2' } });
  next().plantArtifact(nameOf(world, 51), zipOf(old));
  for (const key of github.cacheEntries().map((one) => one.key)) github.evict(key);
  await step(next(), 'plan', { stores: 'artifact' }, { outputs: { generation: '2' } });
}

/** The newest is damaged in the one store that has it. */
async function damaged({ step, next, github, context }: Story): Promise<void> {
  const made = await step(next(), 'backup', {}, { outputs: { generation: '3' } });
  const name = made.outputs.name ?? '';
  github.evict(name);
  github.tamper('artifacts', name);
  const refused = { error: 'backup-newer-unreadable', says: [name, 'allow: older-backup', 'generation 2 in artifact'] };
  await step(next(), 'plan', {}, refused);
  await step(next(), 'restore', {}, refused);
  const told = { outputs: { generation: '2', orders: '0' }, says: [`passed over: artifact, ${name}`] };
  const { summary } = await step(next(), 'restore', { allow: 'older-backup' }, told);
  // Whoever approves looks at the summary.
  context.expect(summary.includes('passed over'), `the summary does not say what was passed over: ${summary}`);
  await step(next(), 'plan', { generation: '2' }, { outputs: { generation: '2' }, says: ['remembers generation 3'] });
  await step(next(), 'list', offline, { says: [name, '❌'] });
  await step(next(), 'backup', {}, { outputs: { generation: '4' } });
  await step(next(), 'plan', {}, { outputs: { generation: '4' } });
}

/** A new set of keys is stored over the old one. */
async function keyChange({ world, step, next, folder, github, context }: Story): Promise<void> {
  const fresh = await makeKeys('hybrid');
  const made = await step(next(), 'backup', { 'backup-key': fresh.backup }, { outputs: { generation: '5' } });
  const old = { 'restore-key': world.keys.restore };
  const refused = { error: 'backup-newer-unreadable', says: [made.outputs.name ?? '', 'is not signed by a key'] };
  await step(next(), 'plan', old, refused);
  // The replay in the artifacts is signed by the old key, which this job does not know.
  await step(next(), 'plan', { 'restore-key': fresh.restore, stores: 'cache' }, { outputs: { generation: '5' } });
  await step(
    next(),
    'plan',
    { 'restore-key': fresh.restore },
    { error: 'backup-newer-unreadable', says: [nameOf(world, 51)] },
  );
  const both = { 'restore-key': `${fresh.restore}\n${world.keys.restore}\n` };
  await step(next(), 'plan', both, { outputs: { generation: '5' } });
  await step(next(), 'plan', { ...both, generation: '4' }, { outputs: { generation: '4' } });
  await step(next(), 'plan', { 'restore-key': fresh.restore, generation: '4' }, { error: 'backup-unsigned' });
  const listed = { ...offline, 'backup-key': '' };
  await step(next(), 'list', { ...listed, 'restore-key': fresh.restore }, { says: ['❌ unknown', '✅ known'] });
  await step(next(), 'list', { ...listed, ...both }, { says: ['✅ yes'] });
  const mistyped = `${fresh.restore}\n${world.keys.restore.slice(0, -9)}`;
  await step(next(), 'plan', { 'restore-key': mistyped }, { error: 'key-invalid', says: ['line 2'] });
  const mixed = `${fresh.restore}\n${world.keys.backup}`;
  await step(next(), 'plan', { 'restore-key': mixed }, { error: 'key-wrong-kind', says: ['line 2'] });

  // Who may write to the default branch's runs can plant what may be real: that asks for a word, and for nothing more.
  const planted = nameOf(world, 77);
  next().plantArtifact(planted, junk);
  await step(next(), 'plan', both, { error: 'backup-newer-unreadable', says: [planted] });
  await step(next(), 'plan', { ...both, allow: 'older-backup' }, { outputs: { generation: '5' }, says: [planted] });
  await step(next(), 'plan', { ...both, generation: '5' }, { outputs: { generation: '5' } });
  const copies = await folder('copies');
  await mkdir(copies, { recursive: true });
  await step(next(), 'fetch', { ...both, 'backup-key': '', directory: copies, generation: '5' }, {});
  context.progress(`  ${github.artifacts().length} artifacts so far`);
}

/** Thousands of newer artifacts of other people's jobs, first as many as are looked through, then more. */
async function thousands({ world, github, step, next }: Story): Promise<number> {
  // The planted one of before would be asked about.
  const name = github.artifacts().find((one) => one.name.includes('-g00000004-'))?.name ?? '';
  const own = { 'restore-key': world.keys.restore, stores: 'artifact', allow: 'older-backup' };
  const fork = forkOf(github, 601);
  let count = 0;
  for (const total of [1_000, 2_500]) {
    for (; count < total; count++) fork.plantArtifact(nameOf(world, 1_000 + count), junk);
    const told = { outputs: { generation: '4' }, says: [`passed over: ${total + 3} entries of artifact`] };
    await step(next(), 'plan', own, told);
  }
  for (; count < 10_001; count++) fork.plantArtifact(`build-${count}`, junk);
  await step(next(), 'plan', own, { error: 'store-cut', says: ['10000 of', '`name`'] });
  await step(next(), 'list', { ...offline, stores: 'artifact' }, { says: ['Not all was seen'] });
  await step(next(), 'plan', { ...own, name }, { outputs: { generation: '4' } });
  return count;
}
