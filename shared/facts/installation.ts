import { type Cluster, isConflict, isNotFound, objectOf } from '../cluster/cluster.js';
import { textAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';

/**
 * An installation that is due or under way, in ConfigMap kube-system/mcprt-install: a wipe leaves it, a setup takes it over,
 * and takes it away when the platform is there. GitHub's groups cannot keep others out, as a job waits for its reviewer
 * with its group in hand. It holds no secret.
 */
export interface Installation {
  /** The run that has wiped the platform; empty where none has. */
  wipedBy: string;
  /** The setup that is under way; empty when none is. */
  run: string;
  expires: Date | undefined;
}

/** Who installs, and until when at the longest. */
export interface Installer {
  run: string;
  expires: Date;
}

const ref = { namespace: 'kube-system', name: 'mcprt-install' };
const rolloutRef = { namespace: 'kube-system', name: 'mcprt-rollout' };
const byHand = `\`kubectl delete configmap -n ${ref.namespace} ${ref.name}\` lets others in by hand`;

/** The installation that is due or under way; undefined where there is none. */
export async function readInstallation(cluster: Cluster): Promise<Installation | undefined> {
  const found = await cluster.get<KubeObject>(kinds.configMap, ref);
  return found && installationOf(found);
}

function installationOf(object: KubeObject): Installation {
  const expires = new Date(textAt(object, 'data', 'expires'));
  return {
    wipedBy: textAt(object, 'data', 'wipedBy'),
    run: textAt(object, 'data', 'run'),
    expires: Number.isNaN(expires.getTime()) ? undefined : expires,
  };
}

/**
 * Looks whether a setup of another run is under way.
 *
 * @param own this run, as it is called as a holder of a lock
 * @throws McprtError `setup-busy`
 */
export async function requireNoInstallation(cluster: Cluster, own: string): Promise<void> {
  const found = await readInstallation(cluster);
  if (found !== undefined) refuseBusy(cluster, found, own);
}

/**
 * Looks whether the platform is installed, as far as runs before this one tell: no setup is under way, and no wipe waits
 * for one.
 *
 * @throws McprtError `setup-busy`, `setup-due`
 */
export async function requireInstalled(cluster: Cluster): Promise<void> {
  const found = await readInstallation(cluster);
  if (found === undefined) return;
  refuseBusy(cluster, found, '');
  if (found.wipedBy === '') return;
  throw new McprtError('setup-due', {
    what: `the platform was wiped by ${found.wipedBy}, and is to be installed again first`,
    why: `ConfigMap ${ref.namespace}/${ref.name} is there until a setup has finished`,
    next: `approve the job of that run that installs, or run action-setup; then make a new plan. Where it was installed in another way, ${byHand}`,
  });
}

/**
 * Looks whether a rollout is under way.
 *
 * @throws McprtError `rollout-busy`
 */
export async function requireNoRollout(cluster: Cluster): Promise<void> {
  const found = await cluster.get<KubeObject>(kinds.configMap, rolloutRef);
  const expires = Date.parse(textAt(found, 'data', 'expires'));
  if (found === undefined || !(expires > nowOf(cluster))) return;
  throw new McprtError('rollout-busy', {
    what: `a rollout is under way: ${textAt(found, 'data', 'run') || 'an unknown run'}`,
    why: `ConfigMap ${rolloutRef.namespace}/${rolloutRef.name} is its until ${new Date(expires).toISOString()}`,
    next: `wait for it to finish, and run this again. If it was killed, run it again, or wait until then. Where what it has changed need not be put back, \`kubectl delete configmap -n ${rolloutRef.namespace} ${rolloutRef.name}\` lets others in by hand`,
  });
}

/**
 * Takes the turn of the one that installs; who wiped stays noted.
 *
 * @throws McprtError `setup-busy`, when another run has it
 */
export async function beginInstallation(cluster: Cluster, installer: Installer): Promise<void> {
  const data = { run: installer.run, expires: installer.expires.toISOString() };
  try {
    await cluster.create(kinds.configMap, objectOf(kinds.configMap, { metadata: ref, data }));
    return;
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  const found = await cluster.get<KubeObject>(kinds.configMap, ref);
  if (found === undefined) return beginInstallation(cluster, installer);
  const before = installationOf(found);
  refuseBusy(cluster, before, installer.run);
  try {
    // Of two runs that find the same one only one takes it over.
    await cluster.patch(kinds.configMap, ref, [
      { op: 'test', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion },
      { op: 'add', path: '/data', value: { ...data, ...wipedBy(before) } },
    ]);
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return beginInstallation(cluster, installer);
    throw error;
  }
}

/**
 * Ends the turn of a run that has it. Where the platform is not there after a wipe, its installation stays due.
 *
 * @param isDone whether the platform is installed
 */
export async function endInstallation(cluster: Cluster, run: string, isDone: boolean): Promise<void> {
  const found = await cluster.get<KubeObject>(kinds.configMap, ref);
  if (found === undefined) return;
  const before = installationOf(found);
  if (before.run !== run) return;
  if (isDone || before.wipedBy === '') {
    await cluster.delete(kinds.configMap, ref);
    return;
  }
  await cluster.patch(kinds.configMap, ref, [
    { op: 'test', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion },
    { op: 'add', path: '/data', value: wipedBy(before) },
  ]);
}

/** Notes that the platform is gone, and its installation due. @param run that has wiped it */
export async function noteWiped(cluster: Cluster, run: string): Promise<void> {
  await cluster.apply(kinds.configMap, objectOf(kinds.configMap, { metadata: ref, data: { wipedBy: run } }), {
    force: true,
  });
}

function wipedBy(before: Installation): Record<string, string> {
  return before.wipedBy === '' ? {} : { wipedBy: before.wipedBy };
}

function refuseBusy(cluster: Cluster, { run, expires }: Installation, own: string): void {
  if (run === '' || run === own || expires === undefined || expires.getTime() <= nowOf(cluster)) return;
  throw new McprtError('setup-busy', {
    what: `a setup is under way: ${run}`,
    why: `ConfigMap ${ref.namespace}/${ref.name} is its until ${expires.toISOString()}`,
    next: `wait for it to finish, and run this again. If it was killed, run it again, or wait until then; ${byHand}`,
  });
}

function nowOf(cluster: Cluster): number {
  return cluster.serverTime()?.getTime() ?? Date.now();
}
