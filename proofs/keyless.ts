import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { userOf } from '../init/authentication.js';
import { type ActionRun, defaultsOf, runBundle } from '../lab/driver/action.js';
import { ApiError } from '../shared/cluster/api-error.js';
import { objectOf } from '../shared/cluster/cluster.js';
import { connect } from '../shared/cluster/connect.js';
import { textAt } from '../shared/cluster/fields.js';
import { identityCredentials } from '../shared/cluster/identity.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { renewing } from '../shared/cluster/token-source.js';
import { messageOf } from '../shared/errors.js';
import { applyGrant } from '../shared/permissions/apply.js';
import { manifestOf, type Subject } from '../shared/permissions/manifest.js';
import { grants } from '../shared/permissions/operations.js';
import { type KeylessCluster, makeKeyless, repository } from './keyless/door.js';
import { filesBelow, withoutMasks } from './leaks.js';
import type { Proof, ProofContext } from './proof.js';
import { makeRolloutWorld } from './rollout/world.js';
import { makeStage, type Stage } from './stage.js';

/** How long a token lives in the runs that must outlive it, in s: of the action's own calls, and of the installer's. */
const shortLife = { action: 3, installer: 150 };
/** How long the stand-in takes for each of its pushes in full, in ms: so that all of it takes longer than a token lives. */
const slowPush = 20_000;

export const keyless: Proof = {
  name: 'keyless',
  claim:
    'every operation with the identity that GitHub gives a job, and no stored credential; identities of others are refused by the API server; a job outlives its tokens; `init --remove` leaves nothing',
  async run(context) {
    const problems: string[] = [];
    const figures: Record<string, unknown> = {};
    await onStage(context, problems, figures);
    await onRollout(context, problems, figures);
    return { ok: problems.length === 0, figures, problems };
  },
};

async function onStage(context: ProofContext, problems: string[], figures: Record<string, unknown>): Promise<void> {
  const folder = join(context.folder, 'stage');
  const stage = await makeStage(context, folder, context.small ? {} : { pushMilliseconds: slowPush });
  const { rig } = stage;
  const done: string[] = [];
  let way: KeylessCluster | undefined;
  const expect = (what: string, run: ActionRun): void => {
    if (run.code === 0) done.push(what);
    else problems.push(`${what}: ${run.error}\n${withoutMasks(run.log).slice(-2500)}`);
    context.progress(`  ${what}: ${run.code === 0 ? 'ok' : run.error} in ${run.seconds.toFixed(1)} s`);
  };
  try {
    await rig.install();
    way = await makeKeyless(rig.state, join(folder, 'init'), ['--install']);
    const { inputs, job, provider } = way;
    const act = (operation: string, environment: string, more: Record<string, string> = {}): Promise<ActionRun> =>
      rig.act(operation, { ...inputs, ...more }, job({ environment }));
    const { domain } = rig.installation;
    expect('backup', await act('backup', 'mcprt-backup'));
    expect('verify', await act('verify', 'mcprt-backup'));
    expect('setup-plan', await stage.setup({ ...inputs, 'dry-run': 'true' }, job({ environment: 'mcprt-plan' })));
    const pull = { environment: 'mcprt-pull-request', ref: 'refs/pull/7/merge', event: 'pull_request' };
    const looked = await stage.setup({ ...inputs, operation: 'check' }, job(pull));
    // What a check finds is no matter here: that it could look is.
    expect('check of a pull request', { ...looked, code: looked.error === 'setup-check' ? 0 : looked.code });
    expect('plan', await act('plan', 'mcprt-restore'));
    provider.lifetime = shortLife.action;
    const before = provider.given;
    const wiped = await act('wipe', 'mcprt-wipe', { confirm: domain });
    expect('wipe', wiped);
    figures.tokensOfOneWipe = provider.given - before;
    if (wiped.seconds < shortLife.action || provider.given - before < 2)
      problems.push(`a wipe of ${wiped.seconds} s had ${provider.given - before} tokens of ${shortLife.action} s`);
    expect('restore', await act('restore', 'mcprt-restore'));
    provider.lifetime = shortLife.installer;
    const installed = await stage.setup({ ...inputs, timeout: '20m' }, job({ environment: 'mcprt-restore' }));
    expect('install', installed);
    figures.secondsOfInstall = Math.round(installed.seconds);
    if (!context.small && installed.seconds < shortLife.installer)
      problems.push(`the install took ${installed.seconds} s, and a token lives ${shortLife.installer}`);
    provider.lifetime = 300;
    await refuses(context, stage, way, problems, figures);
    await makesNoToken(stage, way, problems);
    await searchCredentials(stage, way, folder, problems, figures);
    await removes(stage, way, problems, figures);
    figures.operations = done.length;
  } finally {
    await way?.close();
    await stage.close();
  }
}

/** Identities that must not be taken, each by the real API server. */
async function refuses(
  context: ProofContext,
  { rig }: Stage,
  { inputs, job, provider }: KeylessCluster,
  problems: string[],
  figures: Record<string, unknown>,
): Promise<void> {
  const right = {
    repository: 'Acme/Platform',
    repositoryId: '42',
    environment: 'mcprt-backup',
    ref: 'refs/heads/main',
    event: 'workflow_dispatch',
    workflowRef: 'org/mcprt/.github/workflows/backup.yml@refs/tags/v1',
  };
  const kept = provider.token(right, rig.state.server);
  provider.rotate();
  const renewed = await rig.act('verify', inputs, job());
  if (renewed.code !== 0) problems.push(`after the issuer changed its keys: ${withoutMasks(renewed.log).slice(-1500)}`);
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
      job({ kept: provider.token(right, rig.state.server, { exp: Math.floor(Date.now() / 1000) - 60 }) }),
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
    const run = await rig.act('backup', given, env);
    const log = withoutMasks(run.log);
    if (run.code !== 1 || run.error !== code) problems.push(`${name}: ${run.code} ${run.error}\n${log.slice(-1500)}`);
    if (code === 'identity-refused' && !/repository: .*\n?/.test(log)) problems.push(`${name}: no claim is told`);
    context.progress(`  ${name}: ${run.error}`);
  }
  const ended = provider.job(right);
  ended.end();
  const late = await rig.act('backup', inputs, ended.env);
  if (late.error !== 'identity-unavailable') problems.push(`a job that has ended: ${late.error}`);
  figures.refused = cases.length + 1;
}

/** The policy of the accounts knows an identity as well as a ServiceAccount: the most powerful one makes no token's Secret. */
async function makesNoToken({ rig }: Stage, { provider, inputs }: KeylessCluster, problems: string[]): Promise<void> {
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
      server: rig.state.server,
      certificateAuthority: inputs['certificate-authority'] ?? '',
      tokens: renewing(async () => provider.token(job, rig.state.server)),
    }),
  );
  const metadata = {
    namespace: 'kube-system',
    name: 'thief',
    annotations: { 'kubernetes.io/service-account.name': 'default' },
  };
  const make = (type: string): Promise<string> =>
    cluster.create(kinds.secret, objectOf(kinds.secret, { metadata, type }), { dryRun: true }).then(
      () => 'made',
      (error: unknown) => (error instanceof ApiError && error.status === 403 ? 'refused' : messageOf(error)),
    );
  const [token, other] = [await make('kubernetes.io/service-account-token'), await make('Opaque')];
  if (token !== 'refused' || other !== 'made')
    problems.push(`the installer’s identity: a Secret for a token ${token}, another one ${other}`);
  await cluster.close();
}

/** No credential is stored anywhere: not on the cluster, not by init, not in what jobs leave. */
async function searchCredentials(
  { rig }: Stage,
  { made }: KeylessCluster,
  folder: string,
  problems: string[],
  figures: Record<string, unknown>,
): Promise<void> {
  const { items } = await rig.cluster.list<KubeObject>(kinds.secret);
  const tokens = items.filter((one) => one.type === 'kubernetes.io/service-account-token');
  problems.push(...tokens.map(({ metadata }) => `a token is stored: ${metadata.namespace}/${metadata.name}`));
  const accounts = (await rig.cluster.list(kinds.serviceAccount, { namespace: 'kube-system' })).items.filter(
    ({ metadata }) => metadata.name.startsWith('mcprt-'),
  );
  problems.push(...accounts.map(({ metadata }) => `an account is left: ${metadata.name}`));
  const kubeconfigs = (await readdir(made)).filter((name) => name.endsWith('.kubeconfig'));
  problems.push(...kubeconfigs.map((name) => `init wrote ${name}`));
  let searched = 0;
  for (const file of await filesBelow(folder)) {
    searched += 1;
    const text = file.text.toString('latin1');
    // The beginning of any token of the issuer: its header, as it stands in each.
    if (/eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIs[\w-]{20,}\.[\w-]{100,}\./.test(text))
      problems.push(`${file.path} holds a token`);
  }
  figures.filesSearched = searched;
}

async function removes(
  { rig }: Stage,
  { init, inputs, job }: KeylessCluster,
  problems: string[],
  figures: Record<string, unknown>,
): Promise<void> {
  const said = await init('--remove');
  const all = await Promise.all(
    Object.values(kinds)
      // What the cluster tells of what was, it forgets by itself.
      .filter(({ kind }) => !/Review$|^Event$/.test(kind))
      .map((kind) => rig.cluster.list(kind)),
  );
  const left = all
    .flatMap(({ items }) => items)
    .filter(
      (one) =>
        /^mcprt-/.test(one.metadata.name) ||
        textAt(one, 'metadata', 'labels', 'app.kubernetes.io/managed-by') === 'mcprt',
    );
  problems.push(...left.map((one) => `left after --remove: ${one.kind} ${one.metadata.name}`));
  const run = await rig.act('verify', inputs, job());
  if (run.error !== 'permission-missing') problems.push(`an operation after --remove: ${run.code} ${run.error}`);
  if (!(await init('--remove')).includes('There was nothing')) problems.push('a second --remove found something');
  figures.removed = said.split('\n').filter((line) => line.startsWith('- ')).length;
}

async function onRollout(context: ProofContext, problems: string[], figures: Record<string, unknown>): Promise<void> {
  const world = await makeRolloutWorld(context, 'split', join(context.folder, 'rollout'));
  let way: KeylessCluster | undefined;
  try {
    way = await makeKeyless(world.state, join(context.folder, 'init-rollout'));
    const { inputs, job } = way;
    const images = await world.pushAll();
    const steps: [name: string, Record<string, string>, Record<string, string>][] = [
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
      const run = await world.roll({ ...inputs, 'registry-access': 'public', ...more }, env);
      if (run.code === 0) done += 1;
      else problems.push(`${name}: ${run.error}\n${withoutMasks(run.log).slice(-2500)}`);
      context.progress(`  ${name}: ${run.code === 0 ? 'ok' : run.error} in ${run.seconds.toFixed(1)} s`);
    }
    const granted = grants.get('smoke-test');
    const subjects: Subject[] = [
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: userOf(repository.name, 'mcprt-plan') },
    ];
    for (const object of granted === undefined ? [] : manifestOf('smoke-test', granted, { subjects }))
      await applyGrant(world.cluster, object, 'lab');
    const smoke = await runBundle({
      entry: 'smoke-test.js',
      folder: world.folder,
      defaults: await defaultsOf('action-smoke-test'),
      inputs: {
        domain: 'example.com',
        suite: 'health',
        kubeconfig: '',
        'api-server': inputs.server ?? '',
        'certificate-authority': inputs['certificate-authority'] ?? '',
        resolve: world.front.resolve.join('\n'),
        'ca-bundle': world.root,
      },
      env: { GITHUB_RUN_ID: '1', ...job({ environment: 'mcprt-plan' }) },
    });
    if (smoke.code === 0 && !smoke.log.includes('are not compared')) done += 1;
    else problems.push(`smoke test: ${withoutMasks(smoke.log).slice(-1500)}`);
    figures.rollout = done;
  } finally {
    await way?.close();
    await world.close();
  }
}
