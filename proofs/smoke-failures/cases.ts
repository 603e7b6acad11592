import { writeFile } from 'node:fs/promises';
import type { ActionRun } from '../../lab/driver/action.js';
import type { Fault, FaultyCall } from '../../lab/platform/api/faults.js';
import type { KeyPair } from '../../lab/platform/certificate-authority.js';
import { kinds } from '../../shared/cluster/objects.js';
import { isRecord } from '../../shared/json.js';
import type { Inputs } from '../world/actions.js';
import type { PlatformInUse } from '../world/parts.js';
import type { World as WorldOf } from '../world/world.js';
import { type DecoyOptions, startDecoy } from './decoy.js';

export type World = WorldOf<PlatformInUse>;

/** A platform that is broken, and what the action must say of it. */
export interface Failure {
  name: string;
  /** Code of the error or of the check that fails. */
  code: string;
  /** The check that fails; empty where an input will not do. */
  check: string;
  /** Whether CI runs it. */
  quick?: boolean;
  run: Run;
}

type Run = (world: World, kept: Kept) => Promise<ActionRun>;

/** What the failures share. */
export interface Kept {
  ca: KeyPair;
  /** The id of a run whose three tenants are there, with their grants. */
  run: string;
}

type Hit = (call: FaultyCall) => boolean;
type Wrong = Omit<Fault, 'when'>;

const platform = 'platform.example.com';
const registry = 'registry.example.com';
const mcp = 'mcp.example.com';
const certificate = `${platform}: certificate`;
const application = `${platform}: application`;
const past = new Date(Date.now() - 24 * 3600_000);
const health = { suite: 'health' };
const tenant = { suite: 'tenant' };

/** @param told the code, and after ` at ` the check that fails with it */
function broken(name: string, told: string, run: Run): Failure {
  const [code = '', check = ''] = told.split(' at ');
  return { name, code, check, run };
}

const quick = (failure: Failure): Failure => ({ ...failure, quick: true });

/** Lines of `resolve`: those that begin so are left out, others come on top. */
const resolveWithout = (world: World, start: string, ...more: string[]): string =>
  [...world.front.resolve.filter((line) => !line.startsWith(start)), ...more].join('\n');

/** Runs with a server of ours in the place of a public name. */
const decoyed =
  (host: string, options: Partial<DecoyOptions>, inputs: (world: World) => Inputs = () => ({})): Run =>
  async (world, { ca }) => {
    const decoy = await startDecoy({ names: [host], ca, ...options });
    try {
      const resolve = resolveWithout(world, `${host}:443=`, decoy.at(host));
      const bundle = `${world.root}\n${ca.certificate}`;
      return await world.smokeTest({ ...health, resolve, 'ca-bundle': bundle, ...inputs(world) });
    } finally {
      await decoy.close();
    }
  };

/** Runs while some calls of the platform's API, or of MCP servers, go wrong. */
const withFault =
  (at: 'api' | 'gateway', when: Hit, wrong: Wrong, inputs: (kept: Kept) => Inputs): Run =>
  async (world, kept) => {
    const remove = world[at].faults.add({ when, ...wrong });
    try {
      return await world.smokeTest(inputs(kept));
    } finally {
      remove();
    }
  };

const withInputs =
  (inputs: Inputs): Run =>
  (world) =>
    world.smokeTest(inputs);
const withArchive =
  (labels: Inputs, inputs: Inputs = {}, architecture?: string): Run =>
  async (world) =>
    world.smokeTest({ ...tenant, ...inputs, 'image-archive': await world.servers.archive(labels, architecture) });

const isCall =
  (method: string, end: RegExp, more: Hit = () => true): Hit =>
  (call) =>
    call.method === method && end.test(call.path) && more(call);
const reply = (status: number, body: unknown): Wrong => ({ reply: { status, body } });
const refusal = (status: number, message: string, error = 'forbidden'): Wrong => reply(status, { error, message });
const failure = (message: string): Wrong => refusal(500, message, 'internal_error');
const changed = (fields: Record<string, unknown>): Wrong => ({
  change: (body) => (isRecord(body) ? { ...body, ...fields } : body),
});

const publicNames: readonly Failure[] = [
  broken('no DNS', `smoke-dns at ${platform}: DNS`, (world) =>
    world.smokeTest({ ...health, 'dns-server': '127.0.0.1:1', resolve: resolveWithout(world, platform) }),
  ),
  quick(
    broken('nobody listens', `smoke-tcp at ${platform}: TCP`, (world) => {
      const nowhere = [80, 443].map((port) => `${platform}:${port}=127.0.0.1:1`);
      return world.smokeTest({ ...health, resolve: resolveWithout(world, platform, ...nowhere) });
    }),
  ),
  broken('no TLS', `smoke-tls at ${platform}: TLS`, (world) => {
    const plain = `${platform}:443=127.0.0.1:${world.front.httpPort}`;
    return world.smokeTest({ ...health, resolve: resolveWithout(world, platform, plain) });
  }),
  broken(
    'a CA that nobody knows',
    `smoke-tls-chain at ${registry}: certificate`,
    withInputs({ ...health, 'ca-bundle': '' }),
  ),
  quick(broken('an expired certificate', `smoke-tls-expired at ${certificate}`, decoyed(platform, { notAfter: past }))),
  broken(
    'a certificate for another name',
    `smoke-tls-name at ${certificate}`,
    decoyed(platform, { names: ['other.example.com'] }),
  ),
  broken(
    'Traefik’s own certificate',
    `smoke-tls-default at ${certificate}`,
    decoyed(platform, { names: ['TRAEFIK DEFAULT CERT'], ca: undefined }),
  ),
  broken('few days left', `smoke-tls-days at ${certificate}`, withInputs({ ...health, 'min-days': '365' })),
  quick(
    broken(
      'DNS leads to another cluster',
      `smoke-other-cluster at ${certificate}`,
      decoyed(platform, {}, ({ kubeconfig }) => ({ kubeconfig })),
    ),
  ),
  broken(
    'no pod behind the front',
    `smoke-http at ${platform}: HTTP`,
    decoyed(platform, { status: 503, body: 'no available server' }),
  ),
  broken('a registry that lets anybody in', `smoke-registry-open at ${registry}: application`, async (world) => {
    const ingress = { namespace: 'registry', name: 'registry' };
    const path = '/metadata/annotations';
    const before = await world.cluster.get(kinds.ingress, ingress);
    await world.cluster.patch(kinds.ingress, ingress, [{ op: 'remove', path }]);
    try {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return await world.smokeTest(health);
    } finally {
      const value = before?.metadata.annotations ?? {};
      await world.cluster.patch(kinds.ingress, ingress, [{ op: 'add', path, value }]);
    }
  }),
  broken(
    'another server at the registry’s name',
    `smoke-registry at ${registry}: application`,
    decoyed(registry, { status: 404 }),
  ),
  broken(
    'another server at the name of MCP',
    `smoke-mcp-host at ${mcp}: application`,
    decoyed(mcp, { body: 'welcome' }),
  ),
  broken(
    'an API that lets anybody in',
    `smoke-api-open at ${application}`,
    withFault('api', isCall('GET', /auth\/me$/), reply(200, { authenticated: true }), () => health),
  ),
  broken(
    'one API of three is down',
    `smoke-api at ${application}`,
    withFault('api', isCall('GET', /stats$/), failure('internal error'), () => health),
  ),
];

const brokenInputs: readonly Failure[] = [
  broken('no password for the users', 'smoke-no-password', withInputs({ ...tenant, 'user-password': '' })),
  broken('no admin', 'smoke-admin at platform API', withInputs({ ...tenant, 'admin-key': '' })),
  quick(
    broken(
      'a key that is none',
      'smoke-unauthorized at team and member',
      withInputs({ ...tenant, 'admin-key': 'not-a-key-of-the-platform' }),
    ),
  ),
  broken(
    'another password',
    'smoke-login at team and member',
    withInputs({ ...tenant, 'user-password': 'another-password' }),
  ),
  quick(
    broken('metadata without a side effect', 'smoke-metadata at metadata', async (world) => {
      const metadata = `${world.folder}/servers.yaml`;
      await writeFile(metadata, 'version: v1\nservers:\n  - name: wa\n    tools:\n      - name: add\n');
      return world.smokeTest({ ...tenant, metadata });
    }),
  ),
  broken('no image in the archive', 'image-archive at image', (world) =>
    world.smokeTest({ ...tenant, 'image-archive': `${world.servers.source}/Dockerfile` }),
  ),
  quick(broken('an image for another processor', 'smoke-architecture at image', withArchive({}, {}, 'arm64'))),
];

/** A tenant's test in which something of the API, or of the MCP servers, goes wrong. */
const tenantWith =
  (at: 'api' | 'gateway') =>
  (name: string, told: string, when: Hit, wrong: Wrong, inputs: Inputs = {}): Failure =>
    broken(
      name,
      told,
      withFault(at, when, wrong, () => ({ ...tenant, ...inputs })),
    );
const api = tenantWith('api');
const gateway = tenantWith('gateway');

const me = isCall('GET', /auth\/me$/);
const push = isCall('POST', /registry\/push$/);
const deploy = isCall('POST', /runtime\/servers$/);
const session = isCall('POST', /adapter\/sessions$/);

const brokenTenant: readonly Failure[] = [
  api('no API', 'smoke-api at platform API', me, reply(404, {})),
  quick(
    broken('a namespace that cannot be made', 'smoke-team-namespace at team and member', (world) => {
      world.api.failProvisioning(1);
      return world.smokeTest({ ...tenant, 'team-prefix': 'burnt' });
    }),
  ),
  quick(
    broken(
      'a slug that is burnt',
      'smoke-team-burnt at team and member',
      withInputs({ ...tenant, 'team-prefix': 'burnt' }),
    ),
  ),
  api(
    'a user who cannot be made',
    'smoke-user at team and member',
    isCall('POST', /\/users$/),
    refusal(400, 'valid email required', 'invalid_request_body'),
    { 'team-prefix': 'nobody' },
  ),
  api(
    'an address that is locked',
    'smoke-login-locked at team and member',
    isCall('POST', /auth\/login$/),
    refusal(429, 'too many requests', 'too_many_requests'),
  ),
  api(
    'a membership that is not told',
    'smoke-membership at team and member',
    me,
    changed({ principal: { role: 'user', teams: [] } }),
  ),
  quick(api('a slow push', 'smoke-push-slow at push', push, { delayMs: 1_500 }, { 'push-limit': '1s' })),
  api('a push that never ends', 'smoke-push-slow at push', push, { hang: true }, { 'push-limit': '1s' }),
  api('a push that fails', 'smoke-push at push', push, failure('registry push failed')),
  api(
    'a push that is refused',
    'smoke-push-denied at push',
    push,
    refusal(403, 'repository must be scoped to one of your teams ("x")'),
  ),
  api(
    'a name that is taken',
    'smoke-name-taken at deploy',
    deploy,
    refusal(409, 'server already exists; use --update to redeploy it', 'conflict'),
  ),
  quick(
    api(
      'the limit of servers',
      'smoke-limit at deploy',
      deploy,
      refusal(
        429,
        'active MCPServer limit 5 reached; retire an existing server before publishing another',
        'active_server_limit_reached',
      ),
    ),
  ),
  api(
    'an admission that refuses',
    'smoke-admission at deploy',
    deploy,
    refusal(422, 'MCPServer.mcpruntime.org "v1" is invalid', 'internal_error'),
  ),
  api('a deploy that is refused', 'smoke-deploy at deploy', deploy, refusal(403, 'forbidden namespace')),
  api('an API that fails', 'smoke-server-error at deploy', deploy, failure('failed to inspect existing server')),
  api('an API that does not answer', 'smoke-timeout at ready', isCall('GET', /runtime\/servers\/[^/]+\/smoke-/), {
    hang: true,
  }),
  quick(
    // With a kubeconfig it looks at the pods as well.
    broken('a pod that never gets ready', 'smoke-not-ready at ready', (world, kept) =>
      withArchive({ ready: 'never' }, { 'deploy-timeout': '3s', kubeconfig: world.kubeconfig })(world, kept),
    ),
  ),
  broken(
    'a node that cannot run the image',
    'smoke-not-ready at ready',
    withArchive({}, { 'image-platform': 'linux/arm64', 'deploy-timeout': '4s' }, 'arm64'),
  ),
  quick(broken('a server without one of its tools', 'smoke-tools at tools', withArchive({ 'mcp-break': 'tools' }))),
  broken('a tool that fails', 'smoke-call-failed at call', withArchive({ 'mcp-break': 'error' })),
  quick(
    broken(
      'a tool that is wrong',
      'smoke-call-wrong at call',
      withArchive(
        { 'mcp-break': 'add' },
        { 'call-tool': 'add', 'call-arguments': '{"a":7,"b":9}', 'call-expects': '16' },
      ),
    ),
  ),
  api(
    'a grant that is refused',
    'smoke-forbidden at grant and session',
    isCall('POST', /runtime\/grants$/),
    refusal(403, 'forbidden server'),
  ),
  api(
    'no session',
    'smoke-adapter-denied at grant and session',
    session,
    refusal(403, 'no enabled MCPAccessGrant in x matches server="y"'),
  ),
  api('a session without a name', 'smoke-adapter-session at grant and session', session, changed({ name: '' })),
  api(
    'a server that cannot be removed',
    'smoke-cleanup at cleanup',
    isCall('DELETE', /runtime\/servers\//),
    failure('failed to delete server'),
  ),
];

const mcpCall =
  (tool: string, as?: RegExp): Hit =>
  (call) =>
    toolOf(call) === tool && (as === undefined || as.test(call.as));
const rpc = (result: Record<string, unknown>): Wrong => reply(200, { jsonrpc: '2.0', id: 1, result });
const answered = rpc({ content: [{ type: 'text', text: '2' }] });
const denied = (status: number, error: string): Wrong => reply(status, { error });

const brokenServer: readonly Failure[] = [
  gateway(
    'no route to the server',
    'smoke-mcp-unreachable at public address',
    () => true,
    reply(404, '404 page not found'),
    { 'deploy-timeout': '3s' },
  ),
  gateway(
    'a server that does not say who it is',
    'smoke-mcp-unreachable at public address',
    (call) => methodOf(call) === 'initialize',
    rpc({ protocolVersion: '2025-03-26' }),
  ),
  quick(
    gateway(
      'a gateway that lets anybody in',
      'smoke-not-denied at refused without identity',
      (call) => toolOf(call) !== '' && call.as === '',
      answered,
    ),
  ),
  gateway(
    'a grant that never arrives',
    'smoke-call-denied at call',
    (call) => toolOf(call) !== '' && call.as !== '',
    denied(403, 'no_matching_grant'),
    { 'propagation-timeout': '2s' },
  ),
];

/** Each check of the multi-tenancy test, broken once, on the tenants that an earlier run has kept. */
const tenantsWith =
  (at: 'api' | 'gateway') =>
  (name: string, told: string, when: Hit, wrong: Wrong): Failure => {
    const inputs = { suite: 'multitenancy', 'skip-setup': 'true', keep: 'true', 'propagation-timeout': '3s' };
    return broken(
      name,
      told,
      withFault(at, when, wrong, ({ run }) => ({ ...inputs, 'run-id': run })),
    );
  };
const tenantsApi = tenantsWith('api');
const tenantsGateway = tenantsWith('gateway');
const letIn = (name: string, refused: string, when: Hit): Failure =>
  tenantsGateway(name, `smoke-not-denied at refused: ${refused}`, when, answered);
const isGlobex: Hit = (call) => call.as.startsWith('mcprt-smoke-globex@');
const foreign = (what: string, method: string, end: RegExp): Failure =>
  tenantsApi(
    `let through: foreign: ${what}`,
    `smoke-tenant-open at foreign: ${what}`,
    isCall(method, end, isGlobex),
    reply(200, {}),
  );

const brokenTenants: readonly Failure[] = [
  letIn('let in without an identity', 'no identity', mcpCall('aaa-ping')),
  letIn('let in without a session', 'no session', mcpCall('add', /^$/)),
  letIn('let in with an unknown session', 'unknown session', mcpCall('add', /nobody-knows/)),
  letIn('let in with an expired session', 'expired session', mcpCall('add', /-expired$/)),
  quick(letIn('let in without a grant', 'no grant', mcpCall('add', /-ungranted$/))),
  letIn('a denied tool is let through', 'tool denied', mcpCall('lower')),
  letIn('a tool without a rule is let through', 'tool without a rule', mcpCall('mcprt-no-such-tool')),
  letIn('a tool without metadata is let through', 'tool without metadata', mcpCall('draft_release_note')),
  letIn('a side effect is let through', 'side effect', mcpCall('create_task')),
  quick(letIn('too little trust is let through', 'too little trust', mcpCall('slugify'))),
  letIn('a batch is let through', 'batch of requests', (call) => Array.isArray(call.body)),
  letIn('a revoked session is let in', 'revoked session', mcpCall('add', /-revocable$/)),
  quick(
    tenantsGateway(
      'denied for another reason',
      'smoke-denied-otherwise at refused: tool denied',
      mcpCall('lower'),
      denied(403, 'trust_too_low'),
    ),
  ),
  tenantsGateway(
    'a refusal without advice',
    'smoke-advice at refused: no identity',
    mcpCall('aaa-ping'),
    denied(401, 'missing_identity'),
  ),
  tenantsGateway(
    'a wrong sum for globex',
    'smoke-call-wrong at globex calls acme’s add',
    (call) => argumentOf(call, 'a') === 7,
    answered,
  ),
  tenantsApi(
    'a grant that cannot be read',
    'smoke-grant at grants',
    isCall('GET', /runtime\/grants\/.*-acme-to-globex$/),
    refusal(404, 'mcpaccessgrants.mcpruntime.org "x" not found', 'not_found'),
  ),
  tenantsApi(
    'a session without a grant',
    'smoke-not-denied at no adapter session without a grant',
    (call) => session(call) && isGlobex(call) && textOf(call, 'serverName').endsWith('-techcorp'),
    reply(200, { name: 'adapter-x' }),
  ),
  quick(
    tenantsApi(
      'no events',
      'smoke-event at events: the allowed call',
      isCall('GET', /server-events$/, (call) => !isGlobex(call)),
      { change: () => ({ events: [] }) },
    ),
  ),
  foreign('push', 'POST', /registry\/push$/),
  quick(foreign('deploy', 'POST', /runtime\/servers$/)),
  foreign('list of servers', 'GET', /runtime\/servers$/),
  foreign('delete', 'DELETE', /runtime\/servers\//),
  foreign('grant', 'POST', /runtime\/grants$/),
  foreign('events', 'GET', /server-events$/),
  foreign('session by a member', 'POST', /runtime\/sessions$/),
];

export const failures: readonly Failure[] = [
  ...publicNames,
  ...brokenInputs,
  ...brokenTenant,
  ...brokenServer,
  ...brokenTenants,
];

function methodOf({ body }: FaultyCall): string {
  return isRecord(body) ? String(body.method) : '';
}

function paramsOf({ body }: FaultyCall): Record<string, unknown> {
  return isRecord(body) && isRecord(body.params) ? body.params : {};
}

function toolOf(call: FaultyCall): string {
  return methodOf(call) === 'tools/call' ? String(paramsOf(call).name) : '';
}

function argumentOf(call: FaultyCall, name: string): unknown {
  const args = paramsOf(call).arguments;
  return isRecord(args) ? args[name] : undefined;
}

function textOf({ body }: FaultyCall, name: string): string {
  return isRecord(body) ? String(body[name]) : '';
}
