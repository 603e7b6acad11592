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
  /** The error or failed check's code. */
  code: string;
  /** The check that fails; of an input that will not do none. */
  check: string;
  /** Whether CI runs it. */
  quick: boolean;
  run(world: World, kept: Kept): Promise<ActionRun>;
}

/** What the failures share. */
export interface Kept {
  ca: KeyPair;
  /** The id of a run whose three tenants are there, with their grants. */
  run: string;
}

const platform = 'platform.example.com';
const registry = 'registry.example.com';
const mcp = 'mcp.example.com';
const past = new Date(Date.now() - 24 * 3600_000);

/** Runs with a server of ours in the place of a public name. */
function decoyed(
  host: string,
  options: (kept: Kept) => DecoyOptions,
  inputs: (world: World) => Inputs = () => ({}),
): Failure['run'] {
  return async (world, kept) => {
    const decoy = await startDecoy(options(kept));
    try {
      const others = world.front.resolve.filter((line) => !line.startsWith(`${host}:443=`));
      return await world.smokeTest({
        suite: 'health',
        resolve: [...others, decoy.at(host)].join('\n'),
        'ca-bundle': `${world.root}\n${kept.ca.certificate}`,
        ...inputs(world),
      });
    } finally {
      await decoy.close();
    }
  };
}

/** Runs while some calls of the platform's API, or of MCP servers, go wrong. */
function withFault(
  at: 'api' | 'gateway',
  when: (call: FaultyCall) => boolean,
  fault: Omit<Fault, 'when'>,
  inputs: Inputs | ((kept: Kept) => Inputs),
): Failure['run'] {
  return async (world, kept) => {
    const remove = world[at].faults.add({ when, ...fault });
    try {
      return await world.smokeTest(typeof inputs === 'function' ? inputs(kept) : inputs);
    } finally {
      remove();
    }
  };
}

const isCall =
  (method: string, end: RegExp) =>
  (call: FaultyCall): boolean =>
    call.method === method && end.test(call.path);
const refusal = (status: number, message: string, error = 'forbidden'): Omit<Fault, 'when'> => ({
  reply: { status, body: { error, message } },
});
const tenant = { suite: 'tenant' };
const withArchive =
  (labels: Inputs, inputs: Inputs = {}, architecture?: string): Failure['run'] =>
  async (world) =>
    world.smokeTest({ ...tenant, ...inputs, 'image-archive': await world.servers.archive(labels, architecture) });
const broken = (name: string, code: string, check: string, run: Failure['run'], quick = false): Failure => ({
  name,
  code,
  check,
  run,
  quick,
});

const publicNames: readonly Failure[] = [
  broken('no DNS', 'smoke-dns', `${platform}: DNS`, (world) =>
    world.smokeTest({
      suite: 'health',
      'dns-server': '127.0.0.1:1',
      resolve: world.front.resolve.filter((line) => !line.startsWith(platform)).join('\n'),
    }),
  ),
  broken(
    'nobody listens',
    'smoke-tcp',
    `${platform}: TCP`,
    (world) =>
      world.smokeTest({
        suite: 'health',
        resolve: world.front.resolve.map((line) => line.replace(/^(platform.*=.*):\d+$/, '$1:1')).join('\n'),
      }),
    true,
  ),
  broken('no TLS', 'smoke-tls', `${platform}: TLS`, (world) =>
    world.smokeTest({
      suite: 'health',
      resolve: `${world.front.resolve.filter((line) => !line.startsWith(platform)).join('\n')}\n${platform}:443=127.0.0.1:${world.front.httpPort}`,
    }),
  ),
  broken('a CA that nobody knows', 'smoke-tls-chain', `${registry}: certificate`, (world) =>
    world.smokeTest({ suite: 'health', 'ca-bundle': '' }),
  ),
  broken(
    'an expired certificate',
    'smoke-tls-expired',
    `${platform}: certificate`,
    decoyed(platform, ({ ca }) => ({ names: [platform], ca, notAfter: past })),
    true,
  ),
  broken(
    'a certificate for another name',
    'smoke-tls-name',
    `${platform}: certificate`,
    decoyed(platform, ({ ca }) => ({ names: ['other.example.com'], ca })),
  ),
  broken(
    'Traefik’s own certificate',
    'smoke-tls-default',
    `${platform}: certificate`,
    decoyed(platform, () => ({ names: ['TRAEFIK DEFAULT CERT'] })),
  ),
  broken('few days left', 'smoke-tls-days', `${platform}: certificate`, (world) =>
    world.smokeTest({ suite: 'health', 'min-days': '365' }),
  ),
  broken(
    'DNS leads to another cluster',
    'smoke-other-cluster',
    `${platform}: certificate`,
    decoyed(
      platform,
      ({ ca }) => ({ names: [platform], ca }),
      ({ kubeconfig }) => ({ kubeconfig }),
    ),
    true,
  ),
  broken(
    'no pod behind the front',
    'smoke-http',
    `${platform}: HTTP`,
    decoyed(platform, ({ ca }) => ({ names: [platform], ca, status: 503, body: 'no available server' })),
  ),
  broken('a registry that lets anybody in', 'smoke-registry-open', `${registry}: application`, async (world) => {
    const ingress = { namespace: 'registry', name: 'registry' };
    const before = await world.cluster.get(kinds.ingress, ingress);
    await world.cluster.patch(kinds.ingress, ingress, [{ op: 'remove', path: '/metadata/annotations' }]);
    try {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return await world.smokeTest({ suite: 'health' });
    } finally {
      const annotations = before?.metadata.annotations ?? {};
      await world.cluster.patch(kinds.ingress, ingress, [
        { op: 'add', path: '/metadata/annotations', value: annotations },
      ]);
    }
  }),
  broken(
    'another server at the registry’s name',
    'smoke-registry',
    `${registry}: application`,
    decoyed(registry, ({ ca }) => ({ names: [registry], ca, status: 404 })),
  ),
  broken(
    'another server at the name of MCP',
    'smoke-mcp-host',
    `${mcp}: application`,
    decoyed(mcp, ({ ca }) => ({ names: [mcp], ca, body: 'welcome' })),
  ),
  broken(
    'an API that lets anybody in',
    'smoke-api-open',
    `${platform}: application`,
    withFault(
      'api',
      isCall('GET', /auth\/me$/),
      { reply: { status: 200, body: { authenticated: true } } },
      { suite: 'health' },
    ),
  ),
  broken(
    'one API of three is down',
    'smoke-api',
    `${platform}: application`,
    withFault('api', isCall('GET', /stats$/), refusal(500, 'internal error', 'internal_error'), { suite: 'health' }),
  ),
];

const brokenInputs: readonly Failure[] = [
  broken('no password for the users', 'smoke-no-password', '', (world) =>
    world.smokeTest({ ...tenant, 'user-password': '' }),
  ),
  broken('no admin', 'smoke-admin', 'platform API', (world) => world.smokeTest({ ...tenant, 'admin-key': '' })),
  broken(
    'a key that is none',
    'smoke-unauthorized',
    'team and member',
    (world) => world.smokeTest({ ...tenant, 'admin-key': 'not-a-key-of-the-platform' }),
    true,
  ),
  broken('another password', 'smoke-login', 'team and member', (world) =>
    world.smokeTest({ ...tenant, 'user-password': 'another-password' }),
  ),
  {
    name: 'metadata without a side effect',
    code: 'smoke-metadata',
    check: 'metadata',
    quick: true,
    async run(world) {
      const file = `${world.folder}/servers.yaml`;
      await writeFile(file, 'version: v1\nservers:\n  - name: wa\n    tools:\n      - name: add\n');
      return world.smokeTest({ ...tenant, metadata: file });
    },
  },
  broken('no image in the archive', 'image-archive', 'image', (world) =>
    world.smokeTest({ ...tenant, 'image-archive': `${world.servers.source}/Dockerfile` }),
  ),
  broken('an image for another processor', 'smoke-architecture', 'image', withArchive({}, {}, 'arm64'), true),
];

type Told = readonly [code: string, check: string];
type Broken = readonly [when: (call: FaultyCall) => boolean, fault: Omit<Fault, 'when'>];
type More = { quick?: boolean; inputs?: Inputs };

/** A tenant's test in which something of the API, or of the MCP servers, goes wrong. */
const tenantWith =
  (at: 'api' | 'gateway') =>
  (name: string, [code, check]: Told, [when, fault]: Broken, { quick = false, inputs = {} }: More = {}): Failure => ({
    name,
    code,
    check,
    quick,
    run: withFault(at, when, fault, { ...tenant, ...inputs }),
  });
const api = tenantWith('api');
const gateway = tenantWith('gateway');

const push = isCall('POST', /registry\/push$/);
const deploy = isCall('POST', /runtime\/servers$/);

const brokenTenant: readonly Failure[] = [
  api('no API', ['smoke-api', 'platform API'], [isCall('GET', /auth\/me$/), { reply: { status: 404, body: {} } }]),
  {
    name: 'a namespace that cannot be made',
    code: 'smoke-team-namespace',
    check: 'team and member',
    quick: true,
    run(world) {
      world.api.failProvisioning(1);
      return world.smokeTest({ ...tenant, 'team-prefix': 'burnt' });
    },
  },
  broken(
    'a slug that is burnt',
    'smoke-team-burnt',
    'team and member',
    (world) => world.smokeTest({ ...tenant, 'team-prefix': 'burnt' }),
    true,
  ),
  api(
    'a user who cannot be made',
    ['smoke-user', 'team and member'],
    [isCall('POST', /\/users$/), refusal(400, 'valid email required', 'invalid_request_body')],
    { inputs: { 'team-prefix': 'nobody' } },
  ),
  api(
    'an address that is locked',
    ['smoke-login-locked', 'team and member'],
    [isCall('POST', /auth\/login$/), refusal(429, 'too many requests', 'too_many_requests')],
  ),
  api(
    'a membership that is not told',
    ['smoke-membership', 'team and member'],
    [
      isCall('GET', /auth\/me$/),
      { change: (body) => (isRecord(body) ? { ...body, principal: { role: 'user', teams: [] } } : body) },
    ],
  ),
  api('a slow push', ['smoke-push-slow', 'push'], [push, { delayMs: 1_500 }], {
    quick: true,
    inputs: { 'push-limit': '1s' },
  }),
  api('a push that never ends', ['smoke-push-slow', 'push'], [push, { hang: true }], {
    inputs: { 'push-limit': '1s' },
  }),
  api('a push that fails', ['smoke-push', 'push'], [push, refusal(500, 'registry push failed', 'internal_error')]),
  api(
    'a push that is refused',
    ['smoke-push-denied', 'push'],
    [push, refusal(403, 'repository must be scoped to one of your teams ("x")')],
  ),
  api(
    'a name that is taken',
    ['smoke-name-taken', 'deploy'],
    [deploy, refusal(409, 'server already exists; use --update to redeploy it', 'conflict')],
  ),
  api(
    'the limit of servers',
    ['smoke-limit', 'deploy'],
    [
      deploy,
      refusal(
        429,
        'active MCPServer limit 5 reached; retire an existing server before publishing another',
        'active_server_limit_reached',
      ),
    ],
    { quick: true },
  ),
  api(
    'an admission that refuses',
    ['smoke-admission', 'deploy'],
    [deploy, refusal(422, 'MCPServer.mcpruntime.org "v1" is invalid', 'internal_error')],
  ),
  api('a deploy that is refused', ['smoke-deploy', 'deploy'], [deploy, refusal(403, 'forbidden namespace')]),
  api(
    'an API that fails',
    ['smoke-server-error', 'deploy'],
    [deploy, refusal(500, 'failed to inspect existing server', 'internal_error')],
  ),
  api(
    'an API that does not answer',
    ['smoke-timeout', 'ready'],
    [isCall('GET', /runtime\/servers\/[^/]+\/smoke-/), { hang: true }],
  ),
  {
    name: 'a pod that never gets ready',
    code: 'smoke-not-ready',
    check: 'ready',
    quick: true,
    // With a kubeconfig it looks at the pods as well.
    run: (world, context) =>
      withArchive({ ready: 'never' }, { 'deploy-timeout': '3s', kubeconfig: world.kubeconfig })(world, context),
  },
  broken(
    'a node that cannot run the image',
    'smoke-not-ready',
    'ready',
    withArchive({}, { 'image-platform': 'linux/arm64', 'deploy-timeout': '4s' }, 'arm64'),
  ),
  broken('a server without one of its tools', 'smoke-tools', 'tools', withArchive({ 'mcp-break': 'tools' }), true),
  broken('a tool that fails', 'smoke-call-failed', 'call', withArchive({ 'mcp-break': 'error' })),
  broken(
    'a tool that is wrong',
    'smoke-call-wrong',
    'call',
    withArchive(
      { 'mcp-break': 'add' },
      { 'call-tool': 'add', 'call-arguments': '{"a":7,"b":9}', 'call-expects': '16' },
    ),
    true,
  ),
  api(
    'a grant that is refused',
    ['smoke-forbidden', 'grant and session'],
    [isCall('POST', /runtime\/grants$/), refusal(403, 'forbidden server')],
  ),
  api(
    'no session',
    ['smoke-adapter-denied', 'grant and session'],
    [isCall('POST', /adapter\/sessions$/), refusal(403, 'no enabled MCPAccessGrant in x matches server="y"')],
  ),
  api(
    'a session without a name',
    ['smoke-adapter-session', 'grant and session'],
    [isCall('POST', /adapter\/sessions$/), { change: (body) => (isRecord(body) ? { ...body, name: '' } : body) }],
  ),
  api(
    'a server that cannot be removed',
    ['smoke-cleanup', 'cleanup'],
    [isCall('DELETE', /runtime\/servers\//), refusal(500, 'failed to delete server', 'internal_error')],
  ),
];

const mcpCall =
  (tool: string, session?: RegExp) =>
  (call: FaultyCall): boolean =>
    toolOf(call) === tool && (session === undefined || session.test(call.as));
const answered = {
  reply: { status: 200, body: { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: '2' }] } } },
};
const isInitialize = (call: FaultyCall): boolean => methodOf(call) === 'initialize';

const brokenServer: readonly Failure[] = [
  gateway(
    'no route to the server',
    ['smoke-mcp-unreachable', 'public address'],
    [() => true, { reply: { status: 404, body: '404 page not found' } }],
    { inputs: { 'deploy-timeout': '3s' } },
  ),
  gateway(
    'a server without sessions',
    ['smoke-mcp-session', 'public address'],
    [
      isInitialize,
      { reply: { status: 200, body: { jsonrpc: '2.0', id: 1, result: { protocolVersion: '2025-03-26' } } } },
    ],
  ),
  gateway(
    'a gateway that lets anybody in',
    ['smoke-not-denied', 'refused without identity'],
    [(call) => toolOf(call) !== '' && call.as === '', answered],
    { quick: true },
  ),
  gateway(
    'a grant that never arrives',
    ['smoke-call-denied', 'call'],
    [(call) => toolOf(call) !== '' && call.as !== '', { reply: { status: 403, body: { error: 'no_matching_grant' } } }],
    { inputs: { 'propagation-timeout': '2s' } },
  ),
];

/** Each check of the multi-tenancy test, broken once, on the tenants that an earlier run has kept. */
const tenants = (
  name: string,
  [code, check]: Told,
  { at, when, fault }: { at: 'api' | 'gateway'; when: Broken[0]; fault: Broken[1] },
  quick = false,
): Failure => {
  const inputs = ({ run }: Kept): Inputs => ({
    suite: 'multitenancy',
    'skip-setup': 'true',
    keep: 'true',
    'run-id': run,
    'propagation-timeout': '3s',
  });
  return { name, code, check, quick, run: withFault(at, when, fault, inputs) };
};
const letIn = (name: string, check: string, when: (call: FaultyCall) => boolean, quick = false): Failure =>
  tenants(name, ['smoke-not-denied', check], { at: 'gateway', when, fault: answered }, quick);
const foreign = (check: string, when: (call: FaultyCall) => boolean, quick = false): Failure =>
  tenants(
    `let through: ${check}`,
    ['smoke-tenant-open', check],
    { at: 'api', when, fault: { reply: { status: 200, body: {} } } },
    quick,
  );
const isGlobex = (call: FaultyCall): boolean => call.as.startsWith('mcprt-smoke-globex@');

const brokenTenants: readonly Failure[] = [
  letIn('let in without an identity', 'refused: no identity', (call) => toolOf(call) === 'aaa-ping'),
  letIn('let in without a session', 'refused: no session', (call) => toolOf(call) === 'add' && call.as === ''),
  letIn('let in with an unknown session', 'refused: unknown session', mcpCall('add', /nobody-knows/)),
  letIn('let in with an expired session', 'refused: expired session', mcpCall('add', /-expired$/)),
  letIn('let in without a grant', 'refused: no grant', mcpCall('add', /-ungranted$/), true),
  letIn('a denied tool is let through', 'refused: tool denied', mcpCall('lower')),
  letIn('a tool without a rule is let through', 'refused: tool without a rule', mcpCall('mcprt-no-such-tool')),
  letIn('a tool without metadata is let through', 'refused: tool without metadata', mcpCall('draft_release_note')),
  letIn('a side effect is let through', 'refused: side effect', mcpCall('create_task')),
  letIn('too little trust is let through', 'refused: too little trust', mcpCall('slugify'), true),
  letIn('a batch is let through', 'refused: batch of requests', (call) => Array.isArray(call.body)),
  letIn('a revoked session is let in', 'refused: revoked session', mcpCall('add', /-revocable$/)),
  tenants(
    'denied for another reason',
    ['smoke-denied-otherwise', 'refused: tool denied'],
    { at: 'gateway', when: mcpCall('lower'), fault: { reply: { status: 403, body: { error: 'trust_too_low' } } } },
    true,
  ),
  tenants('a refusal without advice', ['smoke-advice', 'refused: no identity'], {
    at: 'gateway',
    when: (call) => toolOf(call) === 'aaa-ping',
    fault: { reply: { status: 401, body: { error: 'missing_identity' } } },
  }),
  tenants('a wrong sum for globex', ['smoke-call-wrong', 'globex calls acme’s add'], {
    at: 'gateway',
    when: (call) => argumentOf(call, 'a') === 7,
    fault: answered,
  }),
  tenants('a grant that cannot be read', ['smoke-grant', 'grants'], {
    at: 'api',
    when: isCall('GET', /runtime\/grants\/.*-acme-to-globex$/),
    fault: refusal(404, 'mcpaccessgrants.mcpruntime.org "x" not found', 'not_found'),
  }),
  tenants('a session without a grant', ['smoke-not-denied', 'no adapter session without a grant'], {
    at: 'api',
    when: (call) =>
      isCall('POST', /adapter\/sessions$/)(call) && isGlobex(call) && textOf(call, 'serverName').endsWith('-techcorp'),
    fault: { reply: { status: 200, body: { name: 'adapter-x' } } },
  }),
  tenants(
    'no events',
    ['smoke-event', 'events: the allowed call'],
    {
      at: 'api',
      when: (call) => isCall('GET', /server-events$/)(call) && !isGlobex(call),
      fault: { change: () => ({ events: [] }) },
    },
    true,
  ),
  foreign('foreign: push', (call) => push(call) && isGlobex(call)),
  foreign('foreign: deploy', (call) => deploy(call) && isGlobex(call), true),
  foreign('foreign: list of servers', (call) => isCall('GET', /runtime\/servers$/)(call) && isGlobex(call)),
  foreign('foreign: delete', (call) => isCall('DELETE', /runtime\/servers\//)(call) && isGlobex(call)),
  foreign('foreign: grant', (call) => isCall('POST', /runtime\/grants$/)(call) && isGlobex(call)),
  foreign('foreign: events', (call) => isCall('GET', /server-events$/)(call) && isGlobex(call)),
  foreign('foreign: session by a member', (call) => isCall('POST', /runtime\/sessions$/)(call) && isGlobex(call)),
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
