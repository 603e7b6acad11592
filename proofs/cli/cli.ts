import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { requireFitting } from '../../lab/driver/result.js';
import { found } from '../../lab/driver/until.js';
import { kinds } from '../../shared/cluster/objects.js';
import { isRecord, parsedJson } from '../../shared/json.js';
import { registryAuth } from '../../shared/platform/registry-auth.js';
import { canariesOf, keyCanaries } from '../support/canaries.js';
import { round1 } from '../support/figures.js';
import { type Canary, searchRuns } from '../support/leaks.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { tail } from '../support/runs.js';
import { userPassword } from '../world/actions.js';
import { type PlatformInUse, platformInUse } from '../world/parts.js';
import { inWorld, type World as WorldOf } from '../world/world.js';
import { type CommandRun, runCommand } from './command-run.js';
import { words } from './words.js';

type World = WorldOf<'front' | 'source' | 'installer'>;
type InUse = WorldOf<PlatformInUse | 'services'>;
type Options = Readonly<Record<string, string>>;

/** Somebody at a terminal. */
interface Person {
  context: ProofContext;
  /** A home folder, with a kubeconfig where kubectl looks for it. */
  home: string;
  /** Folder for temporary files, in which nothing may stay. */
  temporary: string;
  scenes: { scene: string; seconds: number }[];
  canaries: Canary[];
}

interface More {
  env?: Options;
  input?: string;
  onStart?: (pid: number, printed: () => string) => void;
}

export const cli: Proof = {
  name: 'cli',
  claim:
    'the command mcprt, without a job and in an empty environment: backup, wipe, restore, setup, rollout and smoke test, with 0 orders; help, completion, exit codes, JSON, interrupts',
  async run(context) {
    const person = await personOf(context);
    // Two clusters, which mostly wait.
    const [told, figures] = await Promise.all([
      words(context, (args) => type(person, args)),
      inWorld(context, ['front', 'source', 'installer'], (world) => lostAndFound(person, world), {
        folder: join(context.folder, 'lost'),
      }),
      inWorld(context, [...platformInUse, 'services'], (world) => inUse(person, world), {
        folder: join(context.folder, 'in-use'),
      }),
    ]);
    context.expectSame('left in the folder for temporary files', await leftIn(person), []);
    return {
      ...told,
      ...figures,
      filesSearchedForSecrets: await searchRuns(context, person.canaries),
      scenes: person.scenes,
    };
  },
};

async function personOf(context: ProofContext): Promise<Person> {
  const [home, temporary] = [join(context.folder, 'home'), join(context.folder, 'temporary')];
  await Promise.all([mkdir(join(home, '.kube'), { recursive: true }), mkdir(temporary)]);
  return { context, home, temporary, scenes: [], canaries: [] };
}

/** Everything that orders certificates, or could. */
async function lostAndFound(person: Person, world: World): Promise<Record<string, unknown>> {
  // Where kubectl looks for it.
  await copyFile(world.kubeconfig, join(person.home, '.kube', 'config'));
  // In small, a smoke test is interrupted in its place.
  if (!person.context.small) await interrupted(person, world, 'SIGINT');
  const figures = await wholeWay(person, world);
  await withJobs(person, world);
  if (!person.context.small) {
    await interrupted(person, world, 'SIGTERM');
    await abandoned(person, world);
    await powerless(person, world);
  }
  person.canaries.push(...(await canariesOf(world)), ...keyCanaries('own', world.keys));
  return figures;
}

/** The command in an environment with PATH, HOME and a folder for temporary files, and what is given. */
function type(
  { context, home, temporary }: Person,
  args: readonly string[],
  { env = {}, ...more }: More = {},
): Promise<CommandRun> {
  return runCommand(args, { folder: context.folder, env: { HOME: home, TMPDIR: temporary, ...env }, ...more });
}

/** A run with `--json` that must work, whose document is held to what is published. @returns the document */
async function result(
  person: Person,
  scene: string,
  args: readonly string[],
  options: Options,
  more: More = {},
): Promise<Record<string, unknown>> {
  const { context, scenes } = person;
  const run = await type(person, [...args, ...written(options), '--json'], more);
  scenes.push({ scene, seconds: round1(run.seconds) });
  context.progress(`  ${scene} in ${round1(run.seconds)} s`);
  if (!context.expectDone(scene, run)) throw new Error(`${scene} failed: ${tail(run)}`);
  context.expect(!/^::|%0A/m.test(run.log), `${scene}: a runner is spoken to`, run);
  const { stdout } = run;
  requireFitting(stdout);
  const told = parsedJson(stdout);
  return isRecord(told) ? told : {};
}

function written(options: Options): string[] {
  return Object.entries(options).map(([name, value]) => `--${name}=${value}`);
}

const digest = /^[0-9a-f]{64}$/;

/** What the installation of this world needs, beside a profile. */
const installing = ({ profile, root, domain, source, installer, folder, front, backups }: World): Options => ({
  profile,
  'ca-bundle': root,
  'acme-email': `ops@${domain}`,
  source,
  binary: installer,
  'cert-manager-manifest': join(folder, 'cert-manager.yaml'),
  resolve: front.resolve.join('\n'),
  directory: backups,
  'cert-timeout': '240s',
  'rollout-timeout': '240s',
  doctor: 'false',
});

async function wholeWay(person: Person, world: World): Promise<Record<string, unknown>> {
  const { context } = person;
  const { domain, keys, backups, front, cluster } = world;
  const keyFile = join(context.folder, 'restore-key');
  await writeFile(keyFile, `${keys.restore}\n`, { mode: 0o600 });
  const backupKey = { env: { MCPRT_BACKUP_KEY: keys.backup } };
  const store = { domain, directory: backups };

  const first = await result(person, 'setup install', ['setup', 'install'], installing(world));
  context.expectSame('case', first.case, context.small ? 'first-install' : 'first-install-resumed');
  const before = await front.onTheWire();
  const { orders, issued } = await world.counting(async () => {
    const made = await result(
      person,
      'backup backup',
      ['backup', 'backup'],
      { ...store, 'backup-key-file': '-' },
      { input: keys.backup },
    );
    context.expectSame('generation', made.generation, 1);
    await result(person, 'backup verify', ['backup', 'verify'], store, backupKey);
    await result(person, 'backup wipe', ['backup', 'wipe'], { ...store, confirm: domain }, backupKey);
    const gone = await cluster.get(kinds.namespace, { name: 'registry' });
    context.expect(gone === undefined, 'the wipe has left namespace registry');
    const restoring = { ...store, 'restore-key-file': keyFile };
    const { plan } = await result(person, 'backup plan', ['backup', 'plan'], restoring);
    context.expect(digest.test(String(plan)), `no plan: ${String(plan)}`);
    const env = { env: { MCPRT_RESTORE_KEY: keys.restore } };
    await result(person, 'backup restore', ['backup', 'restore'], { ...store, 'expect-plan': String(plan) }, env);
    const again = await result(person, 'setup', ['setup'], { ...installing(world), 'restore-key-file': keyFile });
    context.expectSame('case', again.case, 'rerun');
  });
  context.expect(orders === 0 && issued === 0, `${orders} orders, ${issued} issued after the first installation`);
  context.expectSame('certificates on the wire', await front.onTheWire(), before);
  await asAPersonReadsIt(person, world);
  return { orders, issued };
}

/** Without `--json`: the summary as text on standard output, the log on standard error, and colours where they are seen only. */
async function asAPersonReadsIt(person: Person, { domain, backups, keys }: World): Promise<void> {
  const { expect, expectDone } = person.context.about('backup list for a person');
  const env = { MCPRT_BACKUP_KEY: keys.backup };
  const run = await type(person, ['backup', 'list', '--domain', domain, '--directory', backups], { env });
  expectDone('the run', run);
  expect(run.stdout.includes(`Backups of ${domain}`), 'no heading', run);
  expect(!/\||\*\*|<br>|^#/m.test(run.stdout), 'Markdown is left', run);
  expect(run.stdout.includes('Next: mcprt backup plan with the --generation'), 'it is told as to a job', run);
  expect(!run.log.includes('\u001b'), 'there are colours in a pipe', run);
  const homeless = await type(person, ['backup', 'verify', '--domain', domain], { env: { ...env, HOME: '' } });
  expect(homeless.code === 1 && homeless.error === 'kubeconfig-missing', 'no home', homeless);
  const again = await Promise.all(
    [1, 2].map(() => type(person, ['backup', 'verify', '--domain', domain, '--directory', backups], { env })),
  );
  for (const one of again) expectDone('two at once', one);
  const missing = await type(person, ['backup', 'list', '--domain', domain, '--directory', backups]);
  expect(missing.code === 1 && missing.stdout === '' && missing.error === 'key-missing', 'no key', missing);
  expect(missing.stderr.includes('MCPRT_BACKUP_KEY'), 'it is not told where a key is taken from', missing);
}

/** Backups go from jobs to the command and back, and no check is weaker for it. */
async function withJobs(person: Person, world: World): Promise<void> {
  const { context } = person;
  const { expectDone, expectRefused } = context.about('with jobs');
  const { domain, keys, folder } = world;
  const env = { MCPRT_RESTORE_KEY: keys.restore };
  const origin = `local/${encodeURIComponent(hostname())}`;
  const [foreign, own] = await Promise.all([world.backup('plan'), world.backup('plan', { 'from-repository': origin })]);
  expectRefused('a command’s backup', 'backup-foreign-repository', foreign);
  expectDone('by its machine', own);
  const ofJob = join(folder, 'backups-of-job');
  expectDone('a backup in a job', await world.backup('backup', { directory: ofJob }));
  const plan = (...more: string[]): Promise<CommandRun> =>
    type(person, ['backup', 'plan', '--domain', domain, '--directory', ofJob, ...more], { env });
  const as = ['--repository', 'acme/platform', '--repository-id'];
  const [unnamed, byId, same, other] = await Promise.all([
    plan(),
    plan('--from-repository', '42'),
    plan(...as, '42'),
    plan(...as, '43'),
  ]);
  expectRefused('a job’s backup', 'backup-foreign-repository', unnamed);
  expectDone('by its id', byId);
  expectDone('as its repository', same);
  expectRefused('as another repository', 'backup-foreign-repository', other);
}

const isOpen = async ({ cluster }: World): Promise<boolean> => {
  const ingress = await cluster.get(kinds.ingress, { namespace: registryAuth.namespace, name: registryAuth.name });
  return ingress !== undefined && ingress.metadata.annotations?.[registryAuth.annotation] === undefined;
};

/** Starts an installation, and does something as soon as its registry is open. @returns how the command ended */
async function stopped(
  person: Person,
  world: World,
  marker: string,
  stop: (pid: number) => Promise<void>,
): Promise<CommandRun> {
  let isStopped: Promise<boolean> = Promise.resolve(false);
  const run = await type(person, ['setup', 'install', ...written(installing(world))], {
    env: { MCPRT_PROOF: marker },
    onStart(pid) {
      isStopped = found(() => isOpen(world), { seconds: 60, every: 30 }).then(async (isNow) => {
        if (isNow === true) await stop(pid);
        return isNow === true;
      });
    },
  });
  person.context.expect(await isStopped, `${marker}: it was over before its registry was open`, run);
  return run;
}

/** Somebody at the keyboard stops an installation: it ends as a cancelled job does, its post step included. */
async function interrupted(person: Person, world: World, signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  const { expect } = person.context.about(`setup, ${signal}`);
  const marker = `${signal}-${process.pid}`;
  const run = await stopped(person, world, marker, async (pid) => void process.kill(pid, signal));
  expect(run.code === (signal === 'SIGINT' ? 130 : 143), `exit code ${run.code}`, run);
  expect(run.error === 'job-cancelled' && run.stdout.includes('cancelled'), 'it is not told', run);
  expect((await marked(marker)).length === 0, 'processes are left');
  await requireEnded(person, world, signal);
}

/** The command is ended by force: its step hears of it, and ends as a cancelled one does. */
async function abandoned(person: Person, world: World): Promise<void> {
  const { expect } = person.context.about('setup, abandoned');
  const marker = `abandoned-${process.pid}`;
  const run = await stopped(person, world, marker, async (pid) => void process.kill(pid, 'SIGKILL'));
  expect(run.signal === 'SIGKILL', `exit code ${run.code}`, run);
  const isGone = await found(async () => (await marked(marker)).length === 0, { seconds: 20, every: 100 });
  expect(isGone === true, 'processes are left');
  await requireEnded(person, world, 'abandoned');
  await emptied(person);
}

/** Everything is ended by force, as when a machine loses its power: the lock stays, and whoever goes on with the run has it. */
async function powerless(person: Person, world: World): Promise<void> {
  const { expect, expectRefused } = person.context.about('setup, powerless');
  const marker = `powerless-${process.pid}`;
  await stopped(person, world, marker, async (pid) => {
    process.kill(pid, 'SIGKILL');
    for (const one of await marked(marker)) process.kill(Number(one), 'SIGKILL');
  });
  await emptied(person);
  const [, run] = /"run":"local\/[^"/]+\/(\d+)\/setup"/.exec(JSON.stringify(await lockIn(world)) ?? '') ?? [];
  if (!expect(run !== undefined, 'there is no lock of a run')) return;
  expectRefused('another run', 'setup-busy', await type(person, ['setup', 'install', ...written(installing(world))]));
  await result(person, 'setup --resume', ['setup'], { ...installing(world), resume: run ?? '' });
}

async function requireEnded({ context }: Person, world: World, what: string): Promise<void> {
  const { expect, expectSame } = context.about(`setup, ${what}`);
  expect(!(await isOpen(world)), 'the registry is open');
  expectSame('the lock that is left', await lockIn(world), undefined);
}

function lockIn({ cluster }: World): Promise<unknown> {
  return cluster.get(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-install' });
}

/** Processes of this proof, by a variable of theirs. */
async function marked(marker: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    ids.map(async (id) => {
      const environment = await readFile(join('/proc', id, 'environ'), 'utf8').catch(() => '');
      const state = await readFile(join('/proc', id, 'stat'), 'utf8').catch(() => '');
      return environment.includes(`MCPRT_PROOF=${marker}`) && !/^\d+ \(.*\) Z/.test(state) ? [id] : [];
    }),
  );
  return all.flat();
}

/** Folders that the command has left. */
async function leftIn({ temporary }: Person): Promise<string[]> {
  return (await readdir(temporary)).filter((name) => name.startsWith('mcprt-'));
}

/** Takes away what a command that was killed has left. */
async function emptied(person: Person): Promise<void> {
  const left = await leftIn(person);
  person.context.expectSame('folders of a command that was killed', left.length, 1);
  await Promise.all(left.map((name) => rm(join(person.temporary, name), { recursive: true })));
}

/** A rollout and a smoke test, of a platform that serves. */
async function inUse(person: Person, world: InUse): Promise<void> {
  const { context } = person;
  const { kubeconfig, profile, root, domain, front, services, servers, api } = world;
  const resolve = front.resolve.join('\n');
  const images = (await services.pushAll()).split('\n').map((image) => `--images=${image}`);
  const rolling = { kubeconfig, profile, 'ca-bundle': root, resolve, 'rollout-timeout': '60s' };
  const { plan } = await result(person, 'rollout plan', ['rollout', 'plan', ...images], rolling);
  const rolled = await result(person, 'rollout', ['rollout', ...images], { ...rolling, 'expect-plan': String(plan) });
  context.expectSame('changed', rolled.changed, 'true');
  const junit = join(context.folder, 'junit.xml');
  const testing = {
    domain,
    'ca-bundle': root,
    resolve,
    source: servers.source,
    'image-archive': await servers.archive(),
    junit,
  };
  const env = { MCPRT_ADMIN_KEY: api.adminKey, MCPRT_USER_PASSWORD: userPassword };
  const waits = { 'deploy-timeout': '60s', 'propagation-timeout': '30s' };
  const tested = await result(
    person,
    'smoke-test',
    ['smoke-test', 'test', '--suite', 'health', '--suite', 'tenant'],
    { ...testing, ...waits },
    { env },
  );
  context.expect(Number(tested.passed) > 0 && tested.failed === 0, `${String(tested.passed)} checks passed`);
  person.canaries.push({ name: 'admin key', value: api.adminKey }, { name: 'user password', value: userPassword });
  context.expect((await readFile(junit, 'utf8')).includes('<testsuite'), 'there is no JUnit report');
  await interruptedTest(person, world, { ...testing, ...waits, kubeconfig }, env);
}

/** Somebody stops a smoke test while its server comes up: the post step removes what was made. */
async function interruptedTest(
  person: Person,
  { cluster, servers }: InUse,
  options: Options,
  env: Options,
): Promise<void> {
  const { expect } = person.context.about('smoke-test, SIGINT');
  const slow = await servers.archive({ 'ready-after': '20000' });
  const deployed = async (): Promise<number> => {
    const { items } = await cluster.list(kinds.mcpServer);
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length;
  };
  let isStopped: Promise<boolean> = Promise.resolve(false);
  const args = ['smoke-test', 'test', '--suite=tenant', ...written({ ...options, 'image-archive': slow })];
  const run = await type(person, args, {
    env,
    onStart(pid) {
      isStopped = found(async () => (await deployed()) > 0, { seconds: 60, every: 50 }).then((isNow) => {
        if (isNow === true) process.kill(pid, 'SIGINT');
        return isNow === true;
      });
    },
  });
  expect(await isStopped, 'it was over before its server was there', run);
  expect(run.code === 130 && run.error === 'job-cancelled', `exit code ${run.code}`, run);
  expect((await deployed()) === 0, 'its server is left', run);
}
