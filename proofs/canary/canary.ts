import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withoutMasks } from '../../lab/driver/action.js';
import type { Github } from '../../lab/github/github.js';
import { makeKeys } from '../../shared/backup/keys.js';
import { kinds } from '../../shared/cluster/objects.js';
import { accessCanaries, awkward, clusterCanaries, identitiesIn, keyCanaries, withTypo } from '../support/canaries.js';
import { type Canary, filesBelow, type LeakSearch, leakSearch } from '../support/leaks.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { scaleCertManager } from '../world/installation.js';
import { inWorld, type World } from '../world/world.js';
import { throughEveryInput } from './every-input.js';

/** What a runner sets when somebody asks for a run with debug logs. */
const debug = { ACTIONS_STEP_DEBUG: 'true', RUNNER_DEBUG: '1' };

/** Secrets are nowhere but in the cluster: not in logs, files or stores, whether a run works or fails. */
export const canary: Proof = {
  name: 'canary',
  claim:
    'no run writes a secret anywhere: not with debug logs on, not when it fails, not into a store, and not where a secret of any kind, whole or damaged, is given to the wrong input',
  run: (context) =>
    inWorld(context, ['platform', 'github'], async (world) => {
      const everyInput = await throughEveryInput(context);
      return { ...(await throughGithub(context, world)), everyInput };
    }),
};

interface Run {
  operation: string;
  inputs?: Record<string, string>;
  env?: Record<string, string>;
  /** The code that it must end with; nothing when it must work. */
  error?: string;
}

async function throughGithub(context: ProofContext, world: World<'github'>) {
  const { github, keys, domain: confirm } = world;
  await plantAwkward(world);
  const later = github.as({ id: github.run.id + 1, job: 'restore' });
  const foreign = await makeKeys('hybrid');
  const typo = withTypo(keys.restore);
  const unreachable = await otherKubeconfig(world, (text) => text.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'));
  const wrongToken = hexOf('a token that the cluster does not know');
  const unknown = await otherKubeconfig(world, (text) => text.replace(/token: .*/, `token: ${wrongToken}`));
  const broken = await otherKubeconfig(world, (text) => text.replace('users:', 'users: [}'));
  const garbage = `${hexOf('what is no key')}\n${hexOf('in two lines')}`;
  const canaries: Canary[] = [
    ...(await clusterCanaries(world.cluster)),
    ...keyCanaries('own', keys),
    ...keyCanaries('foreign', foreign),
    { name: 'key with a typo', value: typo },
    ...identitiesIn(typo).map((value): Canary => ({ name: 'identity with a typo', value })),
    ...(await accessCanaries(world.kubeconfig, [github, later])),
    { name: 'unknown token', value: wrongToken },
    { name: 'garbage key', value: garbage },
  ];
  const search = leakSearch(canaries);

  await requireSeeing(context, canaries, search);
  let runs = 0;
  const perform = async (view: Github, { operation, inputs = {}, env = {}, error }: Run): Promise<void> => {
    runs += 1;
    const given = { stores: 'cache,artifact,directory', 'github-token': view.token, ...inputs };
    const done = await world.backup(operation, given, { ...view.env, ...debug, ...env });
    context.expectEnd(operation, error, done);
    if (operation === 'backup' && error === undefined)
      context.expect(done.log.includes('::debug::'), 'a backup wrote no debug log');
  };

  await perform(github, { operation: 'backup' });
  if (!context.small) {
    await perform(later, { operation: 'verify', inputs: { 'restore-key': keys.restore } });
    await perform(later, { operation: 'plan' });
  }
  await world.wipe(['mcp-sentinel']);
  await perform(later, { operation: 'restore' });
  const failing: Run[] = [
    { operation: 'restore', inputs: { 'restore-key': typo }, error: 'key-invalid' },
    { operation: 'restore', inputs: { kubeconfig: unreachable }, error: 'cluster-loopback' },
    { operation: 'restore', inputs: { 'restore-key': foreign.restore }, error: 'backup-unsigned' },
    { operation: 'restore', inputs: { 'restore-key': keys.backup }, error: 'key-wrong-kind' },
    { operation: 'restore', inputs: { 'restore-key': keys.offline }, error: 'key-invalid' },
    { operation: 'backup', inputs: { 'backup-key': keys.restore }, error: 'key-wrong-kind' },
    { operation: 'plan', inputs: { 'restore-key': `${keys.restore.slice(0, 200)}` }, error: 'key-invalid' },
    { operation: 'plan', inputs: { kubeconfig: unknown }, error: 'cluster-unauthorized' },
    { operation: 'plan', inputs: { kubeconfig: broken }, error: 'kubeconfig-invalid' },
    { operation: 'plan', inputs: { kubeconfig: Buffer.from(broken).toString('base64') }, error: 'kubeconfig-invalid' },
    { operation: 'plan', inputs: { 'max-age': keys.restore }, error: 'input-invalid' },
    { operation: 'plan', inputs: { name: keys.restore }, error: 'input-invalid' },
    { operation: 'plan', inputs: { 'from-repository': keys.restore }, error: 'input-invalid' },
    {
      operation: 'plan',
      inputs: { 'restore-key': `${keys.restore}\n${foreign.restore.slice(0, -60)}` },
      error: 'key-invalid',
    },
    { operation: 'list', inputs: { kubeconfig: '', 'restore-key': `${keys.restore}\n${foreign.restore}` } },
    { operation: 'wipe', inputs: { 'dry-run': 'true' } },
    { operation: 'wipe', inputs: { confirm: keys.restore }, error: 'wipe-confirm' },
    { operation: 'wipe', inputs: { confirm, cluster: keys.restore }, error: 'wipe-wrong-cluster' },
    {
      operation: 'backup',
      inputs: { stores: 'cache', allow: 'fewer-objects' },
      env: { ACTIONS_RUNTIME_TOKEN: '' },
      error: 'backup-not-stored',
    },
  ];
  for (const run of context.small ? failing.slice(0, 2) : failing) await perform(later, run);
  if (!context.small) {
    await scaleCertManager(world.cluster, 0);
    await plantGarbageKey(world, garbage);
    await perform(later, { operation: 'backup', error: 'backup-refused' });
    await perform(later, { operation: 'wipe', inputs: { confirm }, error: 'backup-refused' });
    await perform(later, { operation: 'wipe', inputs: { confirm, allow: 'pair-mismatch,fewer-objects' } });
  }

  // The profile is what the runs are given: its administrator is one of the Secret's too.
  const files = (await filesBelow(context.folder)).filter(({ path }) => path !== world.profile);
  const stored = github.storedBytes();
  const leaks = [
    ...files.flatMap(({ path, text }) => search.in(text).map((name) => `${path} holds ${name}`)),
    ...stored.flatMap((bytes, at) => search.in(bytes).map((name) => `what GitHub stores (${at}) holds ${name}`)),
  ];
  for (const leak of leaks) context.fail(leak);
  // The search sees into what the official clients packed: the public statement is in it, and is found.
  const publicText = leakSearch([{ name: 'statement', value: 'urn:mcprt:backup:1' }]);
  const seen = stored.filter((bytes) => publicText.in(bytes).length > 0).length;
  context.expect(seen >= 2, `the search sees ${seen} of the two copies that were stored`);
  return {
    runs,
    canaries: canaries.length,
    needles: search.needles,
    files: files.length,
    storedBlobs: stored.length,
    leaks: leaks.length,
  };
}

/** The search finds what is planted, in every encoding and where it looks; or it proves nothing. */
async function requireSeeing(
  { folder: below, expect }: ProofContext,
  canaries: readonly Canary[],
  search: LeakSearch,
): Promise<void> {
  const forms: ((text: string) => string)[] = [
    (text) => `before ${text} after`,
    (text) => Buffer.from(`x${text}`).toString('base64'),
    (text) => Buffer.from(`xy${text}`).toString('base64url'),
    (text) => Buffer.from(text).toString('hex').toUpperCase(),
    encodeURIComponent,
    (text) => JSON.stringify({ text }),
  ];
  const longEnough = canaries.filter(({ value }) => value.split('\n').some((line) => line.length >= 24));
  for (const { name, value } of longEnough) {
    for (const [at, form] of forms.entries()) {
      expect(search.in(form(longestLine(value))).length > 0, `the search does not find ${name} in form ${at}`);
    }
  }
  const value = longestLine(longEnough.map((one) => longestLine(one.value)).join('\n'));
  expect(search.in(`${value.slice(0, 60)}…`).length > 0, 'the search does not find half of a value');
  expect(search.in(withoutMasks(`::add-mask::${value}\n`)).length === 0, 'a line that masks counts as a leak');

  const folder = join(below, 'self-test');
  await writeFile(folder, `::add-mask::x\n${value}`);
  const found = (await filesBelow(below)).some(({ path, text }) => path === folder && search.in(text).length > 0);
  expect(found, 'the search does not see a planted file');
  await writeFile(folder, '');
}

function longestLine(text: string): string {
  return text
    .split('\n')
    .reduce((a, b) => (b.length > a.length ? b : a))
    .trim();
}

async function plantAwkward({ cluster }: World): Promise<void> {
  const ref = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
  const value = Buffer.from(awkward).toString('base64');
  await cluster.patch(kinds.secret, ref, [{ op: 'add', path: '/data/CANARY', value }]);
}

/** A TLS Secret whose key is none: a backup is refused, and must not say what it read. */
async function plantGarbageKey({ cluster }: World, garbage: string): Promise<void> {
  const pem = `-----BEGIN PRIVATE KEY-----\n${garbage}\n-----END PRIVATE KEY-----\n`;
  const ref = { namespace: 'registry', name: 'registry-tls' };
  const value = Buffer.from(pem).toString('base64');
  await cluster.patch(kinds.secret, ref, [{ op: 'replace', path: '/data/tls.key', value }]);
}

async function otherKubeconfig({ kubeconfig }: World, change: (text: string) => string): Promise<string> {
  return change(await readFile(kubeconfig, 'utf8'));
}

function hexOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
