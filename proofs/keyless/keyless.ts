import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { userOf } from '../../init/authentication.js';
import { type ActionRun, withoutMasks } from '../../lab/driver/action.js';
import { root } from '../../lab/driver/folders.js';
import { createObject } from '../../lab/platform/objects.js';
import { ApiError } from '../../shared/cluster/api-error.js';
import { connect } from '../../shared/cluster/connect.js';
import { textAt } from '../../shared/cluster/fields.js';
import { identityCredentials } from '../../shared/cluster/identity.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { renewing } from '../../shared/cluster/token-source.js';
import { messageOf } from '../../shared/errors.js';
import { applyGrant } from '../../shared/permissions/apply.js';
import { manifestOf, type Subject } from '../../shared/permissions/manifest.js';
import { grants } from '../../shared/permissions/operations.js';
import { round1 } from '../support/figures.js';
import { filesBelow } from '../support/leaks.js';
import type { Figures, Proof, ProofContext } from '../support/proof.js';
import type { Inputs } from '../world/actions.js';
import { inWorld, type World as WorldOf } from '../world/world.js';
import { type KeylessCluster, makeKeyless, repository } from './identities.js';

const execute = promisify(execFile);

/** How long a token lives in the runs that must outlive it, in s: of the action's own calls, and of the installer's. */
const shortLife = { action: 3, installer: 150 };
/** How long the stand-in takes for each of its pushes in full, in ms: so that all of it takes longer than a token lives. */
const slowPush = 20_000;

export const keyless: Proof = {
  name: 'keyless',
  claim:
    'every operation with the identity that GitHub gives a job, and no stored credential; identities of others are refused by the API server; a job outlives its tokens; `init --remove` leaves nothing',
  async run(context) {
    const pushes = context.small ? {} : { pushMilliseconds: slowPush };
    const installed = await inWorld(
      context,
      ['front', 'installer', 'platform'],
      (world) => everyOperation(context, world),
      { folder: join(context.folder, 'installed'), ...pushes },
    );
    const rollout = await inWorld(context, ['services', 'front', 'source'], (world) => rolloutAndTest(context, world), {
      folder: join(context.folder, 'rollout'),
    });
    return { ...installed, rollout };
  },
};

async function everyOperation(context: ProofContext, world: World): Promise<Figures> {
  const figures: Figures = {};
  let operations = 0;
  const expect = (what: string, run: ActionRun): void => {
    if (context.expectDone(what, run)) operations += 1;
    context.progress(`  ${what}: ${run.code === 0 ? 'ok' : run.error} in ${round1(run.seconds)} s`);
  };
  const way = await makeKeyless(world.state, join(world.folder, 'init'), ['--install']);
  const { inputs, job, provider } = way;
  const act = (operation: string, environment: string, more: Inputs = {}): Promise<ActionRun> =>
    world.backup(operation, { ...inputs, ...more }, job({ environment }));
  try {
    expect('backup', await act('backup', 'mcprt-backup'));
    await keepsBound(context, world);
    expect('verify', await act('verify', 'mcprt-backup'));
    expect('setup-plan', await world.setup({ ...inputs, 'dry-run': 'true' }, job({ environment: 'mcprt-plan' })));
    const pull = { environment: 'mcprt-pull-request', ref: 'refs/pull/7/merge', event: 'pull_request' };
    const looked = await world.setup({ ...inputs, operation: 'check' }, job(pull));
    // What a check finds is no matter here: that it could look is.
    expect('check of a pull request', { ...looked, code: looked.error === 'setup-check' ? 0 : looked.code });
    expect('plan', await act('plan', 'mcprt-restore'));
    provider.lifetime = shortLife.action;
    const before = provider.given;
    const wiped = await act('wipe', 'mcprt-wipe', { confirm: world.domain });
    expect('wipe', wiped);
    const tokensOfOneWipe = provider.given - before;
    figures.tokensOfOneWipe = tokensOfOneWipe;
    const outlives = wiped.seconds >= shortLife.action && tokensOfOneWipe >= 2;
    context.expect(outlives, `a wipe of ${wiped.seconds} s had ${tokensOfOneWipe} tokens of ${shortLife.action} s`);
    expect('restore', await act('restore', 'mcprt-restore'));
    provider.lifetime = shortLife.installer;
    const installed = await world.setup({ ...inputs, timeout: '20m' }, job({ environment: 'mcprt-restore' }));
    expect('install', installed);
    figures.secondsOfInstall = Math.round(installed.seconds);
    const isLong = context.small || installed.seconds >= shortLife.installer;
    context.expect(isLong, `the install took ${installed.seconds} s, and a token lives ${shortLife.installer}`);
    provider.lifetime = 300;
    figures.refused = await refuses(context, world, way);
    await makesNoToken(context, world, way);
    figures.filesSearched = await searchCredentials(context, world, way);
    figures.removed = await removes(context, world, way);
    return { ...figures, operations };
  } finally {
    await way.close();
  }
}

type World = WorldOf<'front' | 'installer'>;

/** A manifest that is applied by hand, as the page says it, does not end what `init` has bound. */
async function keepsBound(context: ProofContext, { state, cluster }: World): Promise<void> {
  const manifest = join(root, 'docs', 'rbac', 'backup.yaml');
  const args = ['kubectl', '--kubeconfig', state.kubeconfig, 'apply', '--server-side', '-f', manifest];
  const told = await execute(state.program.lab, args).then(
    ({ stdout }) => `done: ${stdout}`,
    (error: unknown) => messageOf(error),
  );
  context.expect(/conflict/.test(told), `a manifest over what init has bound: ${told}`);
  // The account of the manifest has no binding; it is of the person who applied it.
  await cluster.delete(kinds.serviceAccount, { namespace: 'kube-system', name: 'mcprt-backup' });
}

/** Identities that must not be taken, each by the real API server. */
async function refuses(
  context: ProofContext,
  { state, backup }: World,
  { inputs, job, provider }: KeylessCluster,
): Promise<number> {
  const right = {
    repository: 'Acme/Platform',
    repositoryId: '42',
    environment: 'mcprt-backup',
    ref: 'refs/heads/main',
    event: 'workflow_dispatch',
    workflowRef: 'org/mcprt/.github/workflows/backup.yml@refs/tags/v1',
  };
  const kept = provider.token(right, state.server);
  provider.rotate();
  context.expectDone('after the issuer changed its keys', await backup('verify', inputs, job()));
  const cases: [name: string, code: string, Record<string, string>, Record<string, string>][] = [
    ['another repository', 'identity-refused', inputs, job({ repository: 'acme/other', repositoryId: '43' })],
    ['a repository that got the name', 'identity-refused', inputs, job({ repositoryId: '44' })],
    ['another branch', 'identity-refused', inputs, job({ ref: 'refs/heads/feature' })],
    ['a tag', 'identity-refused', inputs, job({ ref: 'refs/tags/main' })],
    ['a pull request', 'identity-refused', inputs, job({ ref: 'refs/pull/7/merge', event: 'pull_request' })],
    ['an environment without an account', 'identity-refused', inputs, job({ environment: 'staging' })],
    ['no environment', 'identity-refused', inputs, job({ environment: '' })],
    ['another audience', 'identity-refused', { ...inputs, audience: 'https://elsewhere.example.com' }, job()],
    ['the environment of another operation', 'permission-missing', inputs, job({ environment: 'mcprt-pull-request' })],
    ['a token of before the keys were changed', 'identity-refused', inputs, job({ kept })],
    [
      'a token that has ended',
      'identity-refused',
      inputs,
      job({ kept: provider.token(right, state.server, { exp: Math.floor(Date.now() / 1000) - 60 }) }),
    ],
    [
      'a token that says it is of the right one, and is signed by nobody',
      'identity-refused',
      inputs,
      job({ kept: `${kept.split('.').slice(0, 2).join('.')}.AAAA` }),
    ],
    ['no permission to ask', 'identity-unavailable', inputs, {}],
  ];
  for (const [name, code, given, env] of cases) {
    const run = await backup('backup', given, env);
    context.expectRefused(name, code, run);
    const isTold = code !== 'identity-refused' || /repository: .*\n?/.test(withoutMasks(run.log));
    context.expect(isTold, `${name}: no claim is told`);
    context.progress(`  ${name}: ${run.error}`);
  }
  const ended = provider.job(right);
  ended.end();
  context.expectRefused('a job that has ended', 'identity-unavailable', await backup('backup', inputs, ended.env));
  return cases.length + 1;
}

/** The policy of the accounts knows an identity as well as a ServiceAccount: the most powerful one makes no token's Secret. */
async function makesNoToken(
  context: ProofContext,
  { state: { server } }: World,
  { provider, inputs }: KeylessCluster,
): Promise<void> {
  const job = {
    repository: repository.name,
    repositoryId: repository.id,
    environment: 'mcprt-restore',
    ref: 'refs/heads/main',
    event: 'workflow_dispatch',
    workflowRef: 'org/mcprt/.github/workflows/restore.yml@refs/tags/v1',
  };
  const cluster = connect(
    identityCredentials({
      server,
      certificateAuthority: inputs['certificate-authority'] ?? '',
      tokens: renewing(async () => provider.token(job, server)),
    }),
  );
  const metadata = {
    namespace: 'kube-system',
    name: 'thief',
    annotations: { 'kubernetes.io/service-account.name': 'default' },
  };
  const make = (type: string): Promise<string> =>
    createObject(cluster, kinds.secret, { metadata, type }, { dryRun: true }).then(
      () => 'made',
      (error: unknown) => (error instanceof ApiError && error.status === 403 ? 'refused' : messageOf(error)),
    );
  const [token, other] = [await make('kubernetes.io/service-account-token'), await make('Opaque')];
  context.expectSame(
    'the installer’s identity: Secrets of a token, and of another type',
    [token, other],
    ['refused', 'made'],
  );
  await cluster.close();
}

/** No credential is stored anywhere: not on the cluster, not by init, not in what jobs leave. */
async function searchCredentials(
  { fail }: ProofContext,
  { cluster, folder }: World,
  { made }: KeylessCluster,
): Promise<number> {
  const { items } = await cluster.list<KubeObject>(kinds.secret);
  const tokens = items.filter((one) => one.type === 'kubernetes.io/service-account-token');
  for (const { metadata } of tokens) fail(`a token is stored: ${metadata.namespace}/${metadata.name}`);
  const accounts = (await cluster.list(kinds.serviceAccount, { namespace: 'kube-system' })).items.filter(
    ({ metadata }) => metadata.name.startsWith('mcprt-'),
  );
  for (const { metadata } of accounts) fail(`an account is left: ${metadata.name}`);
  const kubeconfigs = (await readdir(made)).filter((name) => name.endsWith('.kubeconfig'));
  for (const name of kubeconfigs) fail(`init wrote ${name}`);
  const files = await filesBelow(folder);
  // The beginning of any token of the issuer: its header, as it stands in each.
  const token = /eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIs[\w-]{20,}\.[\w-]{100,}\./;
  for (const { path, text } of files) if (token.test(text.toString('latin1'))) fail(`${path} holds a token`);
  return files.length;
}

async function removes(
  context: ProofContext,
  { cluster, backup }: World,
  { init, inputs, job }: KeylessCluster,
): Promise<number> {
  const foretold = await init('--remove', '--dry-run');
  const said = await init('--remove');
  const listed = (text: string): string =>
    text
      .split('\n')
      .filter((line) => line.startsWith('- '))
      .join('\n');
  context.expectSame('what --remove --dry-run foretells', listed(foretold), listed(said));
  const all = await Promise.all(
    Object.values(kinds)
      // What the cluster tells of what was, it forgets by itself.
      .filter(({ kind }) => !/Review$|^Event$/.test(kind))
      .map((kind) => cluster.list(kind)),
  );
  const left = all
    .flatMap(({ items }) => items)
    .filter(
      (one) =>
        /^mcprt-/.test(one.metadata.name) ||
        textAt(one, 'metadata', 'labels', 'app.kubernetes.io/managed-by') === 'mcprt',
    );
  for (const one of left) context.fail(`left after --remove: ${one.kind} ${one.metadata.name}`);
  const run = await backup('verify', inputs, job());
  context.expectRefused('an operation after --remove', 'permission-missing', run);
  const again = await init('--remove');
  context.expect(again.includes('There was nothing'), 'a second --remove found something');
  return said.split('\n').filter((line) => line.startsWith('- ')).length;
}

/** @returns how many operations worked */
async function rolloutAndTest(context: ProofContext, world: WorldOf<'services'>): Promise<number> {
  const way = await makeKeyless(world.state, join(context.folder, 'init-rollout'));
  try {
    const { inputs, job } = way;
    const images = await world.services.pushAll();
    const steps: [name: string, Inputs, Inputs][] = [
      ['rollout plan', { operation: 'plan', images }, job({ environment: 'mcprt-plan' })],
      [
        'rollout plan of a pull request',
        { operation: 'plan', images, 'without-secrets': 'true' },
        job({ environment: 'mcprt-pull-request', ref: 'refs/pull/7/merge', event: 'pull_request' }),
      ],
      ['rollout', { images }, job({ environment: 'production' })],
    ];
    let done = 0;
    for (const [name, more, env] of steps) {
      const run = await world.rollout({ ...inputs, 'registry-access': 'public', ...more }, env);
      if (context.expectDone(name, run)) done += 1;
      context.progress(`  ${name}: ${run.code === 0 ? 'ok' : run.error} in ${round1(run.seconds)} s`);
    }
    const granted = grants.get('smoke-test');
    const subjects: Subject[] = [
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: userOf(repository.name, 'mcprt-plan') },
    ];
    for (const object of granted === undefined ? [] : manifestOf('smoke-test', granted, { subjects }))
      await applyGrant(world.cluster, object, 'lab');
    const { server = '', ...others } = inputs;
    const given = { ...others, suite: 'health', 'api-server': server };
    const smoke = await world.smokeTest(given, job({ environment: 'mcprt-plan' }));
    const isCompared = smoke.code === 0 && !smoke.log.includes('are not compared');
    if (context.expect(isCompared, 'smoke test', smoke)) done += 1;
    return done;
  } finally {
    await way.close();
  }
}
