import * as z from 'zod';
import type { Cluster } from '../cluster/cluster.js';
import { nowOf } from '../cluster/cluster.js';
import { textAt } from '../cluster/fields.js';
import { memory } from '../cluster/memory.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { momentText } from '../moment.js';

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

const stored = memory<Installation>({
  name: 'mcprt-install',
  shape: z.object({
    wipedBy: z.string().default(''),
    run: z.string().default(''),
    expires: z.string().default('').transform(timeIn),
  }),
  texts: ({ wipedBy, run, expires }) => ({
    ...(run === '' ? {} : { run, expires: expires?.toISOString() ?? '' }),
    ...(wipedBy === '' ? {} : { wipedBy }),
  }),
  unreadable: {
    code: 'setup-record',
    what: 'what an earlier setup or wipe wrote down cannot be read; nothing was changed',
    next: (remove) => `find out who changed it; then ${remove}, and run setup`,
  },
});
const { ref } = stored;
const rolloutRef = { namespace: ref.namespace, name: 'mcprt-rollout' };
const byHand = `\`kubectl delete configmap -n ${ref.namespace} ${ref.name}\` lets others in by hand`;

/** The installation that is due or under way; undefined where there is none. */
export const readInstallation = stored.read;

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
  if (found === undefined || !(expires > nowOf(cluster).getTime())) return;
  const until = momentText(new Date(expires), nowOf(cluster));
  throw new McprtError('rollout-busy', {
    what: `a rollout is under way: ${textAt(found, 'data', 'run') || 'an unknown run'}`,
    why: `ConfigMap ${rolloutRef.namespace}/${rolloutRef.name} is its until ${until}`,
    next: `wait for it to finish, and run this again. If it was killed, run it again, or wait until ${until}. Where what it has changed need not be rolled back, \`kubectl delete configmap -n ${rolloutRef.namespace} ${rolloutRef.name}\` lets others in by hand`,
  });
}

/**
 * Takes the turn of the one that installs; who wiped stays noted.
 *
 * @throws McprtError `setup-busy`, when another run has it
 */
export async function beginInstallation(cluster: Cluster, { run, expires }: Installer): Promise<void> {
  await stored.update(cluster, (found) => {
    if (found !== undefined) refuseBusy(cluster, found, run);
    return { run, expires, wipedBy: found?.wipedBy ?? '' };
  });
}

/**
 * Ends the turn of a run that has it. Where the platform is not there after a wipe, its installation stays due.
 *
 * @param isDone whether the platform is installed
 */
export async function endInstallation(cluster: Cluster, run: string, isDone: boolean): Promise<void> {
  await stored.update(cluster, (found) => {
    if (found?.run !== run) return found;
    return isDone || found.wipedBy === '' ? undefined : { ...found, run: '', expires: undefined };
  });
}

/** Notes that the platform is gone, and its installation due. @param run that has wiped it */
export async function noteWiped(cluster: Cluster, run: string): Promise<void> {
  await stored.update(cluster, (found) => ({ run: '', expires: undefined, ...found, wipedBy: run }));
}

function refuseBusy(cluster: Cluster, { run, expires }: Installation, own: string): void {
  if (run === '' || run === own || expires === undefined || expires <= nowOf(cluster)) return;
  const until = momentText(expires, nowOf(cluster));
  throw new McprtError('setup-busy', {
    what: `a setup is under way: ${run}`,
    why: `ConfigMap ${ref.namespace}/${ref.name} is its until ${until}`,
    next: `wait for it to finish, and run this again. If it was killed, run it again, or wait until ${until}; ${byHand}`,
  });
}

/** A time that cannot be read is over: nobody is kept out by it. */
function timeIn(text: string): Date | undefined {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
