import * as z from 'zod';
import type { Cluster } from '../cluster/cluster.js';
import { memory } from '../cluster/memory.js';

/**
 * What a wipe writes down before its first deletion, in ConfigMap kube-system/mcprt-wipe, and takes away at its end.
 * It names the backup that was proven equal to the cluster: once something is gone, no later backup can be that.
 */
export interface Journal {
  domain: string;
  /** Of the backup: name in its stores, generation, and SHA-256 of its statement in hex. */
  backup: { name: string; generation: number; statement: string };
  run: string;
  scope: string;
  /** `Kind name uid` of everything that was to go. */
  targets: string[];
  /** `namespace/name` of every Secret that the backup holds → its resourceVersion when that was proven. */
  secrets: ReadonlyMap<string, string>;
}

const lines = z.string().transform((text) => text.split('\n').filter((line) => line !== ''));

const stored = memory<Journal>({
  name: 'mcprt-wipe',
  shape: z
    .object({
      domain: z.string(),
      name: z.string(),
      generation: z
        .string()
        .regex(/^\d{1,15}$/)
        .transform(Number),
      statement: z.string(),
      run: z.string(),
      scope: z.string(),
      targets: lines,
      secrets: lines.transform((all) => new Map(all.map(pairOf))),
    })
    .transform(({ name, generation, statement, ...rest }) => ({ ...rest, backup: { name, generation, statement } })),
  texts: ({ backup, targets, secrets, ...rest }) => ({
    ...rest,
    ...backup,
    generation: String(backup.generation),
    targets: targets.join('\n'),
    secrets: [...secrets].map((pair) => pair.join(' ')).join('\n'),
  }),
  unreadable: {
    code: 'wipe-journal',
    what: 'what an earlier wipe wrote down cannot be read; nothing was changed',
    next: (remove) =>
      `where a wipe has begun (some of the platform’s namespaces are gone), run \`operation: restore\` and setup first, so that the cluster is whole; then ${remove}, and wipe again`,
  },
});

/**
 * The journal of a wipe that did not finish; undefined where there is none.
 *
 * @throws McprtError `wipe-journal`, when there is one that cannot be read: on which backup a wipe stands would be
 * unknown, and a fresh one of what is left would take its place
 */
export const readJournal = stored.read;

/** Writes the journal, in place of any earlier one. */
export async function writeJournal(cluster: Cluster, journal: Journal): Promise<void> {
  await stored.update(cluster, () => journal);
}

export const removeJournal = stored.forget;

function pairOf(line: string): [string, string] {
  const [key = '', version = ''] = line.split(' ');
  return [key, version];
}
