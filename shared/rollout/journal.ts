import * as z from 'zod';
import type { Cluster } from '../cluster/cluster.js';
import { nowOf } from '../cluster/cluster.js';
import { memory } from '../cluster/memory.js';
import { McprtError } from '../errors.js';
import { momentText } from '../moment.js';

/** A workload as it was: what a rollout changes of it, and puts back. */
export interface PreviousWorkload {
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  name: string;
  /** Image by container, of those that the rollout writes. */
  images: Record<string, string>;
  /** Which of these are init containers. */
  initContainers: string[];
  /** Names of the pull Secrets that mcprt has given it. */
  pullSecrets: string[];
  /** Value of the annotation that restarts it; null when it had none. */
  annotation: string | null;
}

/** What the cluster was like before the first write of a rollout. */
export interface Previous {
  /** All of mcp-sentinel-config's data. */
  config: Record<string, string>;
  workloads: PreviousWorkload[];
  /** Objects with permissions; `object` is null for one that was not there. */
  permissions: { kind: string; namespace: string; name: string; object: Record<string, unknown> | null }[];
}

/**
 * What a rollout writes down before its first change, in ConfigMap kube-system/mcprt-rollout, and takes away at its end.
 * It is the lock between rollouts too: creating it is atomic. After a run that was killed, the next one knows from it
 * what to put back when it fails as well. It holds no secret.
 */
export interface Journal {
  run: string;
  expires: Date;
  previous: Previous;
}

const workloadShape = z.object({
  kind: z.enum(['Deployment', 'StatefulSet', 'DaemonSet']),
  name: z.string(),
  images: z.record(z.string(), z.string()),
  // Written down by none of the first releases, which knew no init containers.
  initContainers: z.array(z.string()).default([]),
  pullSecrets: z.array(z.string()),
  annotation: z.string().nullable(),
});
const previousShape = z.object({
  config: z.record(z.string(), z.string()),
  workloads: z.array(workloadShape),
  permissions: z.array(
    z.object({
      kind: z.string(),
      namespace: z.string(),
      name: z.string(),
      object: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
});
const stored = memory<Journal>({
  name: 'mcprt-rollout',
  shape: z.object({
    run: z.string(),
    expires: z.coerce.date(),
    previous: z.string().transform((text, context) => {
      try {
        return previousShape.parse(JSON.parse(text));
      } catch {
        context.addIssue({ code: 'custom', message: 'not what a rollout writes' });
        return z.NEVER;
      }
    }),
  }),
  texts: ({ run, expires, previous }) => ({
    run,
    expires: expires.toISOString(),
    previous: JSON.stringify(previous, null, 1),
  }),
  unreadable: {
    code: 'rollout-journal',
    what: 'what an earlier rollout wrote down cannot be read',
    next: (remove) => `look at the images of the platform’s Deployments; when they are right, ${remove}, and run again`,
  },
});

/**
 * The journal of a rollout that is under way or was cut off; undefined when there is none.
 *
 * @throws McprtError `rollout-journal`, when there is one that cannot be read: what to put back would be unknown
 */
export const readJournal = stored.read;

/**
 * Takes the lock and writes the journal. What an earlier run that was cut off wrote down stays: that was the last state
 * that worked.
 *
 * @throws McprtError `rollout-busy`
 */
export async function beginJournal(cluster: Cluster, wanted: Journal): Promise<Journal> {
  return stored.update(cluster, (found) => {
    if (found === undefined) return wanted;
    requireOurs(cluster, found, wanted.run);
    return { ...wanted, previous: mergePrevious(found.previous, wanted.previous) };
  });
}

/** @throws McprtError `rollout-busy`, when another run holds it */
export function requireOurs(cluster: Cluster, { run, expires }: Journal, own: string): void {
  const now = nowOf(cluster);
  if (run === own || expires <= now) return;
  const until = momentText(expires, now);
  throw new McprtError('rollout-busy', {
    what: `another rollout is under way: ${run}`,
    why: `ConfigMap ${stored.ref.namespace}/${stored.ref.name} is its until ${until}`,
    next: `wait for it to finish. If it was killed, run it again, or wait until ${until}: the next run continues from what it wrote down`,
  });
}

export const endJournal = stored.forget;

/** What was written down first counts; what a later run changes besides is added. Pure. */
export function mergePrevious(first: Previous, later: Previous): Previous {
  const add = <T>(ours: readonly T[], theirs: readonly T[], keyOf: (one: T) => string): T[] => {
    const known = new Set(ours.map(keyOf));
    return [...ours, ...theirs.filter((one) => !known.has(keyOf(one)))];
  };
  return {
    config: first.config,
    workloads: add(
      first.workloads.map((one) => {
        const again = later.workloads.find(({ kind, name }) => kind === one.kind && name === one.name);
        return { ...one, images: { ...again?.images, ...one.images } };
      }),
      later.workloads,
      ({ kind, name }) => `${kind}/${name}`,
    ),
    permissions: add(
      first.permissions,
      later.permissions,
      ({ kind, namespace, name }) => `${kind}/${namespace}/${name}`,
    ),
  };
}
