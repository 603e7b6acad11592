import { lookup } from 'node:dns/promises';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActionRun } from '../../lab/driver/action.js';
import { startStoreServers } from '../../lab/driver/store-servers.js';
import { startForwardProxy } from '../../shared/testing/forward-proxy.js';
import { closedPort } from '../broken-worlds/servers.js';
import { inputsFor, makeBuckets } from '../stores/real.js';
import { canariesOf } from '../support/canaries.js';
import { round1 } from '../support/figures.js';
import { searchRuns } from '../support/leaks.js';
import type { Figures, Proof, ProofContext } from '../support/proof.js';
import type { Inputs } from '../world/actions.js';
import { platformInUse } from '../world/parts.js';
import { inWorld, type World } from '../world/world.js';
import { apiHost, openWayOut, type WayOut } from './way-out.js';

export const proxy: Proof = {
  name: 'proxy',
  claim:
    'every operation of every action behind a proxy that is the only way out, with a user and password, and no name that the runner could look up; and with a NO_PROXY that keeps the API server from it; a proxy that fails is told by its fault',
  async run(context) {
    await requireUnknown(context);
    const installed = await inWorld(
      context,
      ['front', 'installer', 'platform', 'github'],
      (world) =>
        withStores(context, (stores) =>
          behindProxy(context, world, (story) => installation(world, story, stores), stores),
        ),
      { folder: join(context.folder, 'installed') },
    );
    const used = await inWorld(
      context,
      ['services', 'github', ...platformInUse],
      (world) => behindProxy(context, world, (story) => use(world, story)),
      {
        folder: join(context.folder, 'used'),
        github: { run: { permissions: { actions: 'read', 'pull-requests': 'write', deployments: 'write' } } },
      },
    );
    return { installed, used };
  },
};

interface Story {
  context: ProofContext;
  way: WayOut;
  /** What was asked of the proxy, by operation. */
  asked: Record<string, string[]>;
}

/** What a step must come to: whom it asks through the proxy, and its code where it is to fail. */
interface Due {
  hosts: string[];
  error?: string;
  /** What it may connect to besides the proxy. */
  directly?: string[];
}

/** The runner's DNS must not know what only the proxy is to know. */
async function requireUnknown({ expect }: ProofContext): Promise<void> {
  for (const name of [apiHost, 'platform.example.com', 'registry.example.com']) {
    const found = await lookup(name).catch(() => undefined);
    expect(found === undefined, `${name} has an address here: a way past the proxy would not be seen`);
  }
}

/** Tells what runs in a world, behind a proxy of its own. */
async function behindProxy(
  context: ProofContext,
  world: World<'front' | 'github'>,
  tell: (story: Story) => Promise<void>,
  stores?: Stores,
): Promise<Figures> {
  const way = await openWayOut(world, stores?.hosts);
  const story: Story = { context, way, asked: {} };
  try {
    await tell(story);
  } finally {
    await way.close();
  }
  const passwords = way.passwords.map((value) => ({ name: 'the proxy’s password', value }));
  const filesSearchedForSecrets = await searchRuns(context, [...(await canariesOf(world)), ...passwords]);
  return { steps: Object.keys(story.asked).length, asked: story.asked, filesSearchedForSecrets };
}

/** A registry and an S3 server whose names only the proxy knows. */
interface Stores {
  /** `HOST:PORT` of both. */
  hosts: string[];
  /** Where they are when the proxy is not to be used for them. */
  directly: string[];
  /** Of a step that uses both. */
  inputs: Inputs;
}

async function withStores<T>(context: ProofContext, tell: (stores: Stores) => Promise<T>): Promise<T> {
  const folder = join(context.folder, 'store-servers');
  await mkdir(folder);
  const [registry, s3] = ['registry.stores.test', 's3.stores.test'];
  const servers = await startStoreServers(folder, context, [registry, s3]);
  try {
    await makeBuckets(servers);
    const named = {
      ...servers,
      registry: servers.registry.replace('127.0.0.1', registry),
      s3: servers.s3.replace('localhost', s3),
    };
    const hosts = [named.registry, new URL(named.s3).host];
    const directly = hosts.map((host) => host.replace(/.*:/, '127.0.0.1:'));
    return await tell({ hosts, directly, inputs: inputsFor(named) });
  } finally {
    await servers.close();
  }
}

/** Runs a step, and looks whom it has asked by which way. */
async function step(
  { context, way, asked }: Story,
  what: string,
  run: (env: Inputs) => Promise<ActionRun>,
  { hosts, error, directly = [] }: Due,
  more: Inputs = {},
): Promise<ActionRun> {
  way.asked();
  await way.witness.seen();
  const done = await run({ ...way.env, ...more });
  const told = context.about(what);
  told.expectEnd('it', error, done);
  asked[what] = way.asked();
  if (error === undefined) told.expectSame('asked of the proxy', asked[what], [...hosts].sort());
  const allowed = [way.proxy.url, ...directly].map((one) => `connect ${one}`);
  const past = (await way.witness.seen()).filter((line) => !allowed.includes(line));
  told.expectSame('what went past the proxy', past, []);
  context.progress(`  ${what}: ${done.error ?? 'ok'} in ${round1(done.seconds)} s`);
  return done;
}

/** The ways to some of the platform's public names. */
const at443 = (...names: string[]): string[] => names.map((name) => `${name}.example.com:443`);

/** Everything that looks at, saves, wipes and brings back an installation. */
async function installation(
  world: World<'front' | 'installer' | 'github'>,
  story: Story,
  { hosts: outside, directly, inputs: storeInputs }: Stores,
): Promise<void> {
  const { way, context } = story;
  const { kubeconfig, api, github } = way;
  const places = [github, ...outside];
  const authorities = `${world.root}\n${storeInputs['ca-bundle']}`;
  const stored = { kubeconfig, ...storeInputs, stores: 'cache,artifact,oci,s3', 'github-token': world.github.token };
  const backup = (operation: string, hosts: string[], inputs: Inputs = {}): Promise<ActionRun> =>
    step(story, operation, (env) => world.backup(operation, { ...stored, ...inputs }, env), { hosts });
  const setup = (what: string, inputs: Inputs, due: Due): Promise<ActionRun> =>
    step(story, what, (env) => world.setup({ ...stored, 'ca-bundle': authorities, resolve: '', ...inputs }, env), due);
  const withKey = { 'restore-key': world.keys.restore };
  const names = ['mcp', 'platform', 'registry'].flatMap((name) => [...at443(name), `${name}.example.com:80`]);

  const made = await backup('backup', [api, ...places]);
  context.expectSame('what holds the backup', made.outputs.stores, stored.stores);
  await backup('list', places, { kubeconfig: '', ...withKey });
  const verified = await backup('verify', [api, ...places], withKey);
  context.expectSame('what holds it when it is verified', verified.outputs.stores, stored.stores);
  await backup('fetch', [github], { kubeconfig: '', stores: 'cache', directory: join(world.folder, 'copy') });
  await backup('plan', [api, ...places]);
  // What it finds is no matter here: the platform has no workload in this world.
  const looked = await setup('check', { operation: 'check' }, { hosts: [api, ...names], error: 'setup-check' });
  context.expect(looked.summary.includes('reach-unseen'), 'a check does not say what it cannot see', looked);
  await setup('setup plan', { 'dry-run': 'true' }, { hosts: [api, ...places, ...names] });
  await backup('wipe', [api, ...places], { confirm: world.domain });
  await backup('restore', [api, ...places]);
  await setup('install', {}, { hosts: [api, ...places, ...names] });
  const past = { stores: 'oci,s3' };
  await step(
    story,
    'stores past the proxy',
    (env) => world.backup('plan', { ...stored, ...past }, env),
    { hosts: [api], directly },
    { NO_PROXY: '.stores.test' },
  );
  await otherWays(world, story);
  await broken(world, story, { hosts: outside, inputs: storeInputs });
}

/** The API server past the proxy, by a proxy of its own, and the proxy's address in other forms. */
async function otherWays(world: World<'front' | 'installer' | 'github'>, story: Story): Promise<void> {
  const { way, context } = story;
  const { kubeconfig, api, github, address, proxy: first } = way;
  const inputs = { kubeconfig, stores: 'cache', 'github-token': world.github.token };
  const verify = (what: string, due: Due, env: Inputs, more: Inputs = {}): Promise<ActionRun> =>
    step(story, what, (all) => world.backup('verify', { ...inputs, ...more }, all), due, env);
  const past = { hosts: [github], directly: [api.replace(apiHost, '127.0.0.1')] };
  for (const none of [apiHost, '.example.com', `other.test, *.example.com:${api.split(':')[1]}`]) {
    await verify(`NO_PROXY=${none}`, past, { NO_PROXY: none });
  }
  await verify('another port in NO_PROXY', { hosts: [api, github] }, { NO_PROXY: `${apiHost}:443` });
  await verify(
    'no scheme, small letters',
    { hosts: [api, github] },
    {
      HTTPS_PROXY: '',
      https_proxy: address.replace('http://', ''),
    },
  );
  const second = await startForwardProxy({ leadsTo: (to) => Number(to.split(':').at(-1)), delay: 300 });
  try {
    const own = (await readFile(kubeconfig, 'utf8')).replace(
      /^( *)(server: .*)$/m,
      `$1$2\n$1proxy-url: http://${second.url}`,
    );
    const due = { hosts: [github], directly: [second.url] };
    await verify('a proxy of the kubeconfig, slow', due, { NO_PROXY: apiHost }, { kubeconfig: own });
    const asked = [...new Set(second.asked.map(({ to }) => to))];
    context.expectSame('asked of the kubeconfig’s proxy', asked, [api]);
  } finally {
    await second.close();
  }
  context.expect(first.peers.size > 0, 'the proxy has connected to nobody');
}

/** A proxy that fails is told by its fault, and never by its password. */
async function broken(
  world: World<'front' | 'installer' | 'github'>,
  story: Story,
  { hosts: [registry = '', s3 = ''], inputs: storeInputs }: Pick<Stores, 'hosts' | 'inputs'>,
): Promise<void> {
  const { way, context } = story;
  const { kubeconfig, api, github, address } = way;
  const plan = (
    what: string,
    error: string,
    env: Inputs = {},
    { stores = 'directory', directly = [] }: { stores?: string; directly?: string[] } = {},
  ): Promise<ActionRun> => {
    const inputs = { kubeconfig, ...storeInputs, stores, 'github-token': world.github.token };
    return step(story, what, (all) => world.backup('plan', inputs, all), { hosts: [], error, directly }, env);
  };
  await plan('another user', 'proxy-authentication', { HTTPS_PROXY: address.replace('//', '//not-') });
  await plan('an address that is none', 'proxy-invalid', { HTTPS_PROXY: address.replace('http', 'socks5') });
  way.refuse(api, 403);
  await plan('no way to the API server', 'proxy-refused');
  way.refuse(api, undefined);
  // What may pass is tried again, which takes its time.
  if (context.small) return;
  const dead = await closedPort();
  await plan('a dead proxy', 'proxy-unreachable', { HTTPS_PROXY: `http://${dead}` }, { directly: [dead] });
  way.refuse(api, 502);
  await plan('a gateway that fails', 'proxy-gateway');
  way.refuse(api, undefined);
  for (const [stores, host] of [
    ['cache', github],
    ['oci', registry],
    ['s3', s3],
  ] as const) {
    way.refuse(host, 403);
    const run = await plan(`no way to the store ${stores}`, 'store-unavailable', {}, { stores });
    context.expect(run.log.includes(way.proxy.url), 'the proxy is not named', run);
    way.refuse(host, undefined);
  }
}

/** Everything that changes and tries a platform in use. */
async function use(world: World<'front' | 'services' | 'servers' | 'github'>, story: Story): Promise<void> {
  const { way, context } = story;
  const { kubeconfig, api, github } = way;
  const token = { 'github-token': world.github.token };
  const rollout = (what: string, hosts: string[], inputs: Inputs): Promise<ActionRun> =>
    step(story, what, (env) => world.rollout({ kubeconfig, resolve: '', ...inputs }, env), { hosts });
  const smoke = (what: string, hosts: string[], inputs: Inputs, more: Inputs = {}): Promise<ActionRun> =>
    step(story, what, (env) => world.smokeTest({ kubeconfig, resolve: '', ...token, ...inputs }, env), { hosts }, more);
  const { services, github: view } = world;
  const plan = { operation: 'plan', images: await services.pushAll() };
  await rollout('rollout plan', [api, ...at443('platform', 'registry')], plan);
  const told = { images: plan.images, 'registry-access': 'public', environment: 'production', ...token };
  await rollout('rollout', [api, github, ...at443('platform', 'registry')], told);
  const forwarded = { images: await services.pushAll(), 'registry-access': 'port-forward' };
  await rollout('rollout by port-forward', [api, ...at443('platform')], forwarded);
  const suite = context.small ? 'health, tenant' : 'health, tenant, multitenancy';
  await smoke('smoke test', [api, ...at443('mcp', 'platform', 'registry')], { suite });
  const [sha, event] = ['a'.repeat(40), join(world.folder, 'event.json')];
  const headRepository = view.env.GITHUB_REPOSITORY ?? '';
  const pull = { number: 7, state: 'open', head: { sha, repo: { full_name: headRepository } } };
  await writeFile(event, JSON.stringify({ action: 'opened', pull_request: pull }));
  view.setPullRequest({ number: 7, state: 'open', headSha: sha, headRepository });
  const previewed = [api, github, ...at443('mcp', 'platform')];
  await smoke('preview', previewed, { operation: 'preview' }, { GITHUB_EVENT_PATH: event });
  const cleaned = { operation: 'cleanup', 'previews-older-than': '0s' };
  await smoke('cleanup', [api, github, ...at443('platform')], cleaned);
}
