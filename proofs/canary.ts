import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Github, startGithub } from '../lab/github/github.js';
import { makeKeys } from '../shared/backup/keys.js';
import { kinds } from '../shared/cluster/objects.js';
import { accessCanaries, awkward, clusterCanaries, identitiesIn, keyCanaries, withTypo } from './canary/canaries.js';
import { throughEveryInput } from './canary/every-input.js';
import { type Canary, filesBelow, type LeakSearch, leakSearch, withoutMasks } from './leaks.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { makeRig, type Rig, scaleCertManager } from './rig.js';

/** What a runner sets when somebody asks for a run with debug logs. */
const debug = { ACTIONS_STEP_DEBUG: 'true', RUNNER_DEBUG: '1' };
const repository = { name: 'acme/platform', id: 42 };

/** Secrets are nowhere but in the cluster: not in logs, files or stores, whether a run works or fails. */
export const canary: Proof = {
  name: 'canary',
  claim:
    'no run writes a secret anywhere: not with debug logs on, not when it fails, not into a store, and not where a secret of any kind, whole or damaged, is given to the wrong input',
  async run(context) {
    const rig = await makeRig(context);
    const github = await startGithub({ repository });
    try {
      await rig.install();
      const every = await throughEveryInput(context);
      const proven = await prove(context, rig, github);
      const { problems, ...figures } = every;
      return {
        ok: proven.ok && problems.length === 0,
        figures: { ...proven.figures, everyInput: figures },
        problems: [...proven.problems, ...problems],
      };
    } finally {
      await rig.close();
      await github.close();
    }
  },
};

interface Run {
  operation: string;
  inputs?: Record<string, string>;
  env?: Record<string, string>;
  /** The code that it must end with; nothing when it must work. */
  error?: string;
}

async function prove(context: ProofContext, rig: Rig, github: Github): Promise<Proven> {
  await plantAwkward(rig);
  const later = github.as({ id: github.run.id + 1, job: 'restore' });
  const foreign = await makeKeys('hybrid');
  const typo = withTypo(rig.keys.restore);
  const unreachable = await otherKubeconfig(rig, (text) => text.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'));
  const wrongToken = hexOf('a token that the cluster does not know');
  const unknown = await otherKubeconfig(rig, (text) => text.replace(/token: .*/, `token: ${wrongToken}`));
  const broken = await otherKubeconfig(rig, (text) => text.replace('users:', 'users: [}'));
  const garbage = `${hexOf('what is no key')}\n${hexOf('in two lines')}`;
  const canaries: Canary[] = [
    ...(await clusterCanaries(rig.cluster)),
    ...keyCanaries('own', rig.keys),
    ...keyCanaries('foreign', foreign),
    { name: 'key with a typo', value: typo },
    ...identitiesIn(typo).map((value): Canary => ({ name: 'identity with a typo', value })),
    ...(await accessCanaries(rig.state.kubeconfig, [github, later])),
    { name: 'unknown token', value: wrongToken },
    { name: 'garbage key', value: garbage },
  ];
  const search = leakSearch(canaries);

  const problems = await selfTestProblems(context, canaries, search);
  let runs = 0;
  const perform = async (view: Github, { operation, inputs = {}, env = {}, error }: Run): Promise<void> => {
    runs += 1;
    const done = await rig.act(
      operation,
      { stores: 'cache,artifact,directory', 'github-token': view.token, ...inputs },
      { ...view.env, ...debug, ...env },
    );
    if (done.error !== error || (done.code === 0) !== (error === undefined)) {
      problems.push(
        `${operation}: exit ${done.code} with ${done.error}, not ${error}: ${withoutMasks(done.log).slice(-600)}`,
      );
    }
    if (operation === 'backup' && error === undefined && !done.log.includes('::debug::')) {
      problems.push('a backup wrote no debug log');
    }
  };

  await perform(github, { operation: 'backup' });
  if (!context.small) {
    await perform(later, { operation: 'verify', inputs: { 'restore-key': rig.keys.restore } });
    await perform(later, { operation: 'plan' });
  }
  await rig.wipe(['mcp-sentinel']);
  await perform(later, { operation: 'restore' });
  const failing: Run[] = [
    { operation: 'restore', inputs: { 'restore-key': typo }, error: 'key-invalid' },
    { operation: 'restore', inputs: { kubeconfig: unreachable }, error: 'cluster-unreachable' },
    { operation: 'restore', inputs: { 'restore-key': foreign.restore }, error: 'backup-unsigned' },
    { operation: 'restore', inputs: { 'restore-key': rig.keys.backup }, error: 'key-wrong-kind' },
    { operation: 'restore', inputs: { 'restore-key': rig.keys.offline }, error: 'key-invalid' },
    { operation: 'backup', inputs: { 'backup-key': rig.keys.restore }, error: 'key-wrong-kind' },
    { operation: 'plan', inputs: { 'restore-key': `${rig.keys.restore.slice(0, 200)}` }, error: 'key-invalid' },
    { operation: 'plan', inputs: { kubeconfig: unknown }, error: 'cluster-unauthorized' },
    { operation: 'plan', inputs: { kubeconfig: broken }, error: 'kubeconfig-invalid' },
    { operation: 'plan', inputs: { kubeconfig: Buffer.from(broken).toString('base64') }, error: 'kubeconfig-invalid' },
    { operation: 'plan', inputs: { 'max-age': rig.keys.restore }, error: 'input-invalid' },
    { operation: 'plan', inputs: { name: rig.keys.restore }, error: 'input-invalid' },
    { operation: 'plan', inputs: { 'from-repository': rig.keys.restore }, error: 'input-invalid' },
    {
      operation: 'plan',
      inputs: { 'restore-key': `${rig.keys.restore}\n${foreign.restore.slice(0, -60)}` },
      error: 'key-invalid',
    },
    { operation: 'list', inputs: { kubeconfig: '', 'restore-key': `${rig.keys.restore}\n${foreign.restore}` } },
    { operation: 'wipe', inputs: { 'dry-run': 'true' } },
    { operation: 'wipe', inputs: { confirm: rig.keys.restore }, error: 'wipe-confirm' },
    {
      operation: 'wipe',
      inputs: { confirm: rig.installation.domain, cluster: rig.keys.restore },
      error: 'wipe-wrong-cluster',
    },
    {
      operation: 'backup',
      inputs: { stores: 'cache', allow: 'fewer-objects' },
      env: { ACTIONS_RUNTIME_TOKEN: '' },
      error: 'backup-not-stored',
    },
  ];
  for (const run of context.small ? failing.slice(0, 2) : failing) await perform(later, run);
  if (!context.small) {
    await scaleCertManager(rig.cluster, 0);
    await plantGarbageKey(rig, garbage);
    await perform(later, { operation: 'backup', error: 'backup-refused' });
    const confirm = rig.installation.domain;
    await perform(later, { operation: 'wipe', inputs: { confirm }, error: 'backup-refused' });
    await perform(later, { operation: 'wipe', inputs: { confirm, allow: 'pair-mismatch,fewer-objects' } });
  }

  const files = await filesBelow(context.folder);
  const stored = github.storedBytes();
  const leaks = [
    ...files.flatMap(({ path, text }) => search.in(text).map((name) => `${path} holds ${name}`)),
    ...stored.flatMap((bytes, at) => search.in(bytes).map((name) => `what GitHub stores (${at}) holds ${name}`)),
  ];
  problems.push(...leaks, ...blindProblems(stored));
  return {
    ok: problems.length === 0,
    figures: {
      runs,
      canaries: canaries.length,
      needles: search.needles,
      files: files.length,
      storedBlobs: stored.length,
      leaks: leaks.length,
    },
    problems,
  };
}

/** The search finds what is planted, in every encoding and where it looks; or it proves nothing. */
async function selfTestProblems(
  context: ProofContext,
  canaries: readonly Canary[],
  search: LeakSearch,
): Promise<string[]> {
  const blind: string[] = [];
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
      if (search.in(form(longestLine(value))).length === 0)
        blind.push(`the search does not find ${name} in form ${at}`);
    }
  }
  const value = longestLine(longEnough.map((one) => longestLine(one.value)).join('\n'));
  if (search.in(`${value.slice(0, 60)}…`).length === 0) blind.push('the search does not find half of a value');
  if (search.in(withoutMasks(`::add-mask::${value}\n`)).length > 0) blind.push('a line that masks counts as a leak');

  const folder = join(context.folder, 'self-test');
  await writeFile(folder, `::add-mask::x\n${value}`);
  const found = (await filesBelow(context.folder)).some(({ text }) => search.in(text).length > 0);
  if (!found) blind.push('the search does not see a planted file');
  await writeFile(folder, '');
  return blind;
}

function longestLine(text: string): string {
  return text
    .split('\n')
    .reduce((a, b) => (b.length > a.length ? b : a))
    .trim();
}

/** The search sees into what the official clients packed: the public statement is in it, and would be found. */
function blindProblems(stored: readonly Buffer[]): string[] {
  const publicText = leakSearch([{ name: 'statement', value: 'urn:mcprt:backup:1' }]);
  const count = stored.filter((bytes) => publicText.in(bytes).length > 0).length;
  return count >= 2 ? [] : [`the search sees ${count} of the two copies that were stored`];
}

async function plantAwkward({ cluster }: Rig): Promise<void> {
  const ref = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
  const value = Buffer.from(awkward).toString('base64');
  await cluster.patch(kinds.secret, ref, [{ op: 'add', path: '/data/CANARY', value }]);
}

/** A TLS Secret whose key is none: a backup is refused, and must not say what it read. */
async function plantGarbageKey({ cluster }: Rig, garbage: string): Promise<void> {
  const pem = `-----BEGIN PRIVATE KEY-----\n${garbage}\n-----END PRIVATE KEY-----\n`;
  const ref = { namespace: 'registry', name: 'registry-tls' };
  const value = Buffer.from(pem).toString('base64');
  await cluster.patch(kinds.secret, ref, [{ op: 'replace', path: '/data/tls.key', value }]);
}

async function otherKubeconfig({ state }: Rig, change: (text: string) => string): Promise<string> {
  return change(await readFile(state.kubeconfig, 'utf8'));
}

function hexOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
