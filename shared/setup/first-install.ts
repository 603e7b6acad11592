import * as z from 'zod';
import type { Cluster } from '../cluster/cluster.js';
import { memory } from '../cluster/memory.js';

/**
 * A first install that was begun and not finished. The issuer is there from its first minutes on, so that the next run
 * would be taken for a rerun, which may order nothing.
 */
const stored = memory<{ firstInstallSince: string }>({
  name: 'mcprt-setup',
  shape: z.object({ firstInstallSince: z.string().refine((text) => !Number.isNaN(Date.parse(text))) }),
  texts: (value) => value,
  unreadable: {
    code: 'setup-record',
    what: 'what an earlier first install wrote down cannot be read; nothing was changed',
    next: (remove) =>
      `${remove}, and run again. If that first install was not finished, what it has still to order is then counted: give \`max-orders\` the number that is named`,
  },
});

/**
 * When a first install was begun that has not been finished; undefined when there is none.
 *
 * @throws McprtError `setup-record`, when what was written down cannot be read: taken for nothing, the install would go on
 * as a rerun
 */
export async function unfinishedSince(cluster: Cluster): Promise<string | undefined> {
  return (await stored.read(cluster))?.firstInstallSince;
}

/** Remembers that a first install begins. One that was begun before stays remembered. */
export async function beginFirstInstall(cluster: Cluster, now: Date): Promise<void> {
  await stored.update(cluster, (found) => found ?? { firstInstallSince: now.toISOString() });
}

/** Forgets it: from now on an order is one too many. */
export const endFirstInstall = stored.forget;
