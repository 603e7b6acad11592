import { setTimeout as sleep } from 'node:timers/promises';
import { followOrders, type OrderLog } from '../backup/issuances.js';
import { diagnose, diagnoseSetup } from '../checks/diagnose.js';
import { isExplainedByCluster } from '../checks/explains.js';
import { blocking, type Finding } from '../checks/finding.js';
import type { Cluster } from '../cluster/cluster.js';
import { nowOf } from '../cluster/cluster.js';
import type { Credentials } from '../cluster/credentials.js';
import { keyOf } from '../cluster/objects.js';
import { McprtError, messageOf } from '../errors.js';
import { beginInstallation, endInstallation, requireNoRollout } from '../facts/installation.js';
import { requireFree } from '../facts/lock.js';
import type { PlatformFacts } from '../facts/observe-platform.js';
import { timedInto } from '../phases.js';
import { platformNamespaces } from '../platform/resources.js';
import { holderOf } from '../run-context.js';
import { apply, patienceOf, type Work } from './apply.js';
import { type Binary, findBinary } from './binary.js';
import { endFirstInstall } from './first-install.js';
import { programEnv } from './invocation.js';
import type { SetupOptions, SetupPorts, SetupRecord } from './options.js';
import { prepare } from './prepare.js';
import { certificateStates, untilRolledOut } from './verify.js';

/**
 * Sets the platform up: look, decide, check everything at once, restore, install cert-manager where it is missing or
 * broken, run the platform's installer, verify. Safe to run again at any point.
 *
 * @throws McprtError of `prepare` and `apply`; `setup-busy`, `rollout-busy`; `setup-ordered`, `setup-verify`
 */
export async function setUp(
  cluster: Cluster,
  credentials: Credentials,
  ports: SetupPorts,
  options: SetupOptions,
  record: SetupRecord,
): Promise<void> {
  const phase = timedInto(record.phases, ports.signal);
  const prepared = await prepare(cluster, ports, options, record, phase);
  if (options.dryRun) return;

  const orders = await followOrders(cluster, ports.signal);
  try {
    await setUpPrepared({ cluster, credentials, ports, options, record, prepared, phase }, orders);
  } finally {
    await orders.close();
  }
}

async function setUpPrepared(work: Omit<Work, 'binary'>, orders: OrderLog): Promise<void> {
  const { cluster, ports, options, record, prepared, phase } = work;
  const run = holderOf(options.run);
  await takeTurn(cluster, run, options.timeout);
  const count = async (): Promise<void> => {
    const due = new Set(record.forecasts.filter(({ excused }) => excused === 'renewal').map(keyOf));
    const appeared = await orders.appeared();
    // A renewal that was due anyway is told by its forecast.
    record.newOrders = appeared.filter(({ certificate }) => !due.has(certificate ?? '')).map(({ name }) => name);
  };
  try {
    // Building it may fail, so that it comes before all changes. It takes minutes, in which what was decided must stay so.
    record.binary = await phase('find the installer', () => findInstaller(work));
    await apply({ ...work, binary: record.binary });
    await phase('verify', async () => {
      await untilRolledOut(cluster, options.hosts, patienceOf(ports, options));
      await endFirstInstall(cluster);
      await endInstallation(cluster, run, true);
      record.certificates = await certificateStates(cluster, prepared.facts.seen.certManager.version, ports.mask);
      await count();
    });
  } catch (error) {
    await endInstallation(cluster, run, false).catch((cause: unknown) =>
      ports.warn(`others are kept out until this setup’s time is over: ${messageOf(cause)}`),
    );
    record.findings = [...prepared.standing];
    if (isCancelled(ports.signal)) throw error;
    await count().catch(() => undefined);
    if (!isExplainedByCluster(error, waiting)) throw error;
    record.findings = await observeAgain(work);
    throw explained(error, record);
  }
  const doctors = record.findings.filter(({ code }) => code === 'doctor');
  record.findings = [
    ...(await phase('look again', () => observeUntilServed(prepared.observe, ports.signal))),
    ...doctors,
  ];
  verifyEnd(record, prepared.allowed, ports);
}

function findInstaller({ ports, options }: Omit<Work, 'binary'>): Promise<Binary> {
  const { binary, source } = options;
  const { env, folder, log, signal } = ports;
  return findBinary({ binary, source, folder, env: programEnv(env), log, signal });
}

/**
 * Keeps rollouts, restores and wipes out, and looks whether one has begun: each looks with its own lock in hand.
 *
 * @throws McprtError `setup-busy`, `restore-locked`, `rollout-busy`
 */
async function takeTurn(cluster: Cluster, run: string, timeout: number): Promise<void> {
  const now = nowOf(cluster).getTime();
  await beginInstallation(cluster, { run, expires: new Date(now + timeout) });
  try {
    await Promise.all([requireFree(cluster, run), requireNoRollout(cluster)]);
  } catch (error) {
    await endInstallation(cluster, run, false);
    throw error;
  }
}

/** A cancelled job has seconds left; one that ran out of time has the time to say why. */
function isCancelled({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof McprtError && reason.code === 'job-cancelled';
}

/** Time is spent on waiting for the cluster, so that a look at it may say why there was not enough. */
const waiting = ['job-timeout'];

async function observeAgain({ prepared, record, ports }: Omit<Work, 'binary'>): Promise<Finding[]> {
  try {
    return diagnoseSetup(await prepared.observe(record.installer?.failed), record.reached);
  } catch (error) {
    ports.warn(`the cluster could not be looked at: ${messageOf(error)}`);
    return prepared.standing;
  }
}

/** How long Traefik may take to serve a certificate that has just been issued, and how often it is looked for, in ms. */
const serving = { deadline: 15_000, pause: 500 };

async function observeUntilServed(observe: () => Promise<PlatformFacts>, signal: AbortSignal): Promise<Finding[]> {
  for (const end = Date.now() + serving.deadline; ; await sleep(serving.pause, undefined, { signal })) {
    const findings = diagnose(await observe());
    const isLate = findings.some(({ code }) => code === 'tls-default-certificate' || code === 'tls-other-certificate');
    if (!isLate || Date.now() > end) return findings;
  }
}

const own: readonly string[] = Object.values(platformNamespaces);

/** What a restore kept must be there still; orders of others' certificates are theirs, and are said. */
function verifyEnd(record: SetupRecord, allowed: number, ports: SetupPorts): void {
  const changed = record.forecasts
    .filter(({ verdict, serial, namespace }) => verdict === 'keep' && serial !== undefined && own.includes(namespace))
    .flatMap((planned) => {
      const now = record.certificates.find((one) => one.namespace === planned.namespace && one.name === planned.name);
      if (now?.serial === planned.serial) return [];
      const instead = now === undefined ? 'no Certificate' : `serial ${now.serial || 'none'}`;
      return [`${planned.namespace}/${planned.name}: ${instead} instead of serial ${planned.serial}`];
    });
  const ours = record.newOrders.filter((order) => own.includes(order.split('/')[0] ?? ''));
  const others = record.newOrders.filter((order) => !ours.includes(order));
  if (others.length > 0) ports.warn(`orders of other certificates appeared meanwhile: ${others.join(', ')}`);
  if (changed.length > 0 || ours.length > allowed) {
    throw new McprtError('setup-ordered', {
      what: 'certificates are not those that were there before',
      why: [...changed, ...ours.map((order) => `new order: ${order}`)].join('\n'),
      next: 'the platform works; report this with the summary, since the forecast was wrong',
    });
  }
  const errors = blocking(record.findings);
  if (errors.length > 0) {
    throw new McprtError('setup-verify', {
      what: `setup is done, and ${errors.length} thing${errors.length === 1 ? ' is' : 's are'} not as it should be: ${errors[0]?.cause}`,
      why: errors.map(({ subject, cause, evidence }) => `${subject}: ${cause}: ${evidence.join('; ')}`).join('\n'),
      next: errors[0]?.remedy ?? '',
    });
  }
}

/** The error by which setup ended, and behind it what was found that may be why. */
function explained(error: McprtError, record: SetupRecord): McprtError {
  // That the installer has failed is the error itself.
  const likely = blocking(record.findings).find(({ cause }) => cause !== error.message);
  if (likely === undefined) return error;
  record.likely = likely;
  const told = new Set(error.why.split('\n'));
  return new McprtError(error.code, {
    what: error.message,
    why: [
      error.why,
      `likely because: ${likely.subject}: ${likely.cause}`,
      ...likely.evidence.filter((line) => !told.has(line)),
    ].join('\n'),
    next: `${error.next}\n${likely.remedy}`,
    cause: error.cause,
  });
}
