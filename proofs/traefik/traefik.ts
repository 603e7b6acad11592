import { whyNotApart } from '../../lab/driver/apart.js';
import { isRunning } from '../../lab/driver/processes.js';
import { found, until } from '../../lab/driver/until.js';
import { makeServerCertificate } from '../../lab/platform/certificate-authority.js';
import { namespaces } from '../../lab/platform/names.js';
import { applyObject } from '../../lab/platform/objects.js';
import { registryAuth } from '../../lab/platform/registry.js';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { NotRun, type Proof, type ProofContext } from '../support/proof.js';
import { mustWork } from '../support/runs.js';
import { scaleCertManager } from '../world/installation.js';
import { inWorld, type World as WorldOf } from '../world/world.js';
import { type Answer, ask, type Question } from './asking.js';

type World = WorldOf<'front' | 'platform'>;

const traefikDefault = 'TRAEFIK DEFAULT CERT';
const secret = { namespace: namespaces.sentinel, name: 'mcp-sentinel-platform-tls' };
/** How long either front may take to notice a change, in s. */
const noticed = 10;

export const traefikProof: Proof = {
  name: 'traefik',
  claim:
    'Traefik itself, from its Go module: it serves its default certificate until the Secret is there, and smoke test and check say so; after wipe and restore the old certificates, without an order and without a restart; the stand-in answers as it does',
  onDemand: true,
  async run(context) {
    const reason = await whyNotApart();
    if (reason !== undefined) throw new NotRun(reason);
    return inWorld(context, ['front', 'platform'], (world) => story(context, world), { traefik: true });
  },
};

async function story(context: ProofContext, world: World) {
  const { cluster, front } = world;
  const { process } = front.traefik ?? {};
  if (process === undefined) throw new Error('there is no Traefik');
  const compared = new Set<string>();
  const same = (stage: string): Promise<void> => requireSame(context, world, stage, compared);
  const { expectSame, expectDone, expect } = context.about('Traefik');

  await makeRoutes(world);
  const first = await servedSoon(world);
  await same('installed');
  expectDone('smoke test', await world.smokeTest({ suite: 'health' }));
  mustWork('the backup', await world.backup('backup'));

  // Without cert-manager nobody but a restore gives a lost Secret back.
  await scaleCertManager(cluster, 0);
  await cluster.delete(kinds.secret, secret);
  await servesSoon(world, `platform.${world.domain}`, traefikDefault);
  await same('without a Secret');
  await requireWords(context, world);
  expectDone('restore', await world.backup('restore'));
  expectSame('certificates after the Secret was restored', await servedSoon(world), first);
  await same('restored');

  const whole = await cluster.get<KubeObject & { data?: Record<string, string> }>(kinds.secret, secret);
  const other = await makeServerCertificate([`platform.${world.domain}`]);
  const put = (path: string, value: string): Promise<unknown> =>
    cluster.patch(kinds.secret, secret, [{ op: 'replace', path: `/data/${path}`, value }]);
  await put('tls.key', Buffer.from(other.key).toString('base64'));
  await servesSoon(world, `platform.${world.domain}`, traefikDefault);
  await same('key of another certificate');
  await put('tls.key', whole?.data?.['tls.key'] ?? '');
  expectSame('certificates with their keys again', await servedSoon(world), first);
  await scaleCertManager(cluster, 1);

  const cycle = await world.counting(async () => {
    await world.wipe();
    await servesSoon(world, `platform.${world.domain}`, traefikDefault);
    await same('wiped');
    expectDone('restore after the wipe', await world.backup('restore'));
    await world.install();
    await makeRoutes(world);
    return servedSoon(world);
  });
  expectSame('certificates after wipe, restore and installation', cycle.result, first);
  expect(cycle.orders === 0 && cycle.issued === 0, `${cycle.orders} orders, ${cycle.issued} issued`);
  await same('installed again');
  expect(isRunning(process), 'Traefik was started again, or has ended');
  return {
    orders: cycle.orders,
    issued: cycle.issued,
    sameOnTheWire: JSON.stringify(cycle.result) === JSON.stringify(first),
    answersCompared: compared.size,
  };
}

/** Makes what the lab's installation lacks: Services, as Traefik leads to none but theirs, and the guard of the registry. */
async function makeRoutes({ cluster }: World): Promise<void> {
  await cluster.patch(kinds.ingress, { namespace: namespaces.registry, name: 'registry' }, [
    { op: 'add', path: '/metadata/annotations', value: { [registryAuth.annotation]: registryAuth.middleware } },
  ]);
  const { items } = await cluster.list<KubeObject>(kinds.ingress);
  for (const ingress of items) {
    const backend = textAt(ingress, 'spec', 'rules', 0, 'http', 'paths', 0, 'backend', 'service', 'name');
    const { namespace } = ingress.metadata;
    const spec = { selector: { app: backend }, ports: [{ port: 80, targetPort: 8080 }] };
    const object = { metadata: { name: backend, ...(namespace && { namespace }) }, spec };
    await applyObject(cluster, kinds.service, object, { force: true, manager: 'lab' });
  }
}

/** That the smoke test, setup's check and a rollout name it. */
async function requireWords(context: ProofContext, world: World): Promise<void> {
  const { expectRefused, expect } = context.about('with the default certificate');
  const smoke = await world.smokeTest({ suite: 'health' });
  expect(smoke.code === 1 && /serves Traefik’s own certificate/.test(smoke.summary), 'the smoke test', smoke);
  const check = await world.setup({ operation: 'check' });
  expectRefused('check', 'setup-check', check);
  // That cert-manager is away comes first.
  expect(/Traefik serves its own default certificate/.test(check.summary), 'check', check);
}

/** What a front may be asked. */
function questions(domain: string): Question[] {
  const https = (name: string, path = '/', more: Partial<Question> = {}): Question => ({
    scheme: 'https',
    name,
    path,
    ...more,
  });
  const [platform, registry, mcp] = [`platform.${domain}`, `registry.${domain}`, `mcp.${domain}`];
  return [
    https(platform),
    https(platform.toUpperCase()),
    https(platform, '/api/v1/health'),
    https(platform, '/api/v1/auth/me'),
    https(platform, '/nothing/there'),
    https(registry, '/v2/'),
    https(registry, '/v2/', { headers: { authorization: 'Basic eDp5' } }),
    https(mcp),
    https(`unknown.${domain}`),
    https('elsewhere.example.org', '/v2/'),
    https(platform, '/', { host: registry }),
    https(platform, '/', { host: `unknown.${domain}` }),
    { scheme: 'http', name: platform, path: '/' },
    { scheme: 'http', name: platform, path: '/api/v1/health' },
    { scheme: 'http', name: registry, path: '/v2/' },
    { scheme: 'http', name: `unknown.${domain}`, path: '/' },
  ];
}

/** That Traefik and the stand-in behind it, which can also be asked directly, answer the same. */
async function requireSame(
  context: ProofContext,
  { front, domain }: World,
  stage: string,
  compared: Set<string>,
): Promise<void> {
  const { fail } = context.about(stage);
  for (const question of questions(domain)) {
    const both = async (): Promise<[Answer, Answer]> => [
      await ask(front, question),
      await ask(front.standIn, question),
    ];
    const told = ([real, standIn]: [Answer, Answer]): [string, string] => [
      JSON.stringify(real),
      JSON.stringify(standIn),
    ];
    let last: [string, string] = ['', ''];
    const agree = await found(
      async () => {
        last = told(await both());
        return last[0] === last[1];
      },
      { seconds: noticed, every: 250 },
    );
    const { scheme, name, host = name, path } = question;
    const asked = `${scheme}://${name}${path} as ${host}`;
    compared.add(`${stage}: ${asked}`);
    if (!agree) {
      context.progress(`  ${stage}: ${asked}: ${last.join(' | ')}`);
      fail(`${asked}: Traefik answers ${last[0]}, and the stand-in ${last[1]}`);
    }
  }
}

/** The certificates on the wire, as soon as none is the default one. */
async function servedSoon({ front, domain }: World): Promise<Record<string, string>> {
  const names = ['platform', 'registry', 'mcp'].map((label) => `${label}.${domain}`);
  const served = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all(
        names.map(
          async (name) => [name, (await ask(front, { scheme: 'https', name, path: '/' })).certificate] as const,
        ),
      ),
    );
  await until(
    'every name to have its certificate',
    async () => !Object.values(await served()).includes(traefikDefault),
    {
      seconds: noticed,
    },
  );
  return served();
}

function servesSoon({ front }: World, name: string, certificate: string): Promise<true> {
  return until(
    `${name} to serve ${certificate}`,
    async () => (await ask(front, { scheme: 'https', name, path: '/' })).certificate === certificate,
    { seconds: noticed },
  );
}
