import * as z from 'zod';
import type { Cluster } from '../cluster/cluster.js';
import { memory } from '../cluster/memory.js';

/**
 * What a cluster remembers of its backups, in ConfigMap kube-system/mcprt-anchor. A wipe keeps kube-system, so that a
 * backup older than the newest one made is recognised: a replay of an old signed backup would bring back credentials
 * that were changed since. It holds names and counts, no values, and a digest that only the backup key can compare.
 */
export interface Anchor {
  generation: number;
  /** SHA-256 of the newest statement, in hex. */
  statement: string;
  /** `Secret namespace/name` of everything that the newest backup holds, sorted. */
  inventory: string[];
  /** Issuances that count against Let's Encrypt's limits; public knowledge, as every certificate is logged. */
  ledger: LedgerEntry[];
  /** What the newest backup holds, as `contentDigest` of content.ts; empty when it is not known. */
  content: string;
}

/** One issuance. Serial in hex, time as RFC 3339. */
export interface LedgerEntry {
  identifiers: string[];
  serial: string;
  at: string;
}

const entryShape = z.tuple([z.iso.datetime(), z.string(), z.string()]);

/** `time serial name,name`, a line each: people read ConfigMaps. A line of another form is passed over. */
function readEntry(line: string): LedgerEntry[] {
  const parsed = entryShape.safeParse(line.split(' '));
  if (!parsed.success) return [];
  const [at, serial, names] = parsed.data;
  return [{ at, serial, identifiers: names.split(',') }];
}

const lines = z.string().transform((text) => text.split('\n').filter((line) => line !== ''));

const stored = memory<Anchor>({
  name: 'mcprt-anchor',
  shape: z.object({
    // A larger number would be none that one can be added to.
    generation: z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
    statement: z.string(),
    inventory: lines,
    ledger: lines.default([]).transform((all) => all.flatMap(readEntry)),
    content: z.string().default(''),
  }),
  texts: ({ generation, statement, inventory, ledger, content }) => ({
    generation: String(generation),
    statement,
    inventory: inventory.join('\n'),
    ledger: ledger.map(({ at, serial, identifiers }) => `${at} ${serial} ${identifiers.join(',')}`).join('\n'),
    content,
  }),
  unreadable: {
    code: 'anchor-unreadable',
    what: 'what the cluster remembers of its backups cannot be read',
    next: (remove) =>
      `find out who changed it. ${remove} forgets it: until the next backup, a replay of an older one is not noticed`,
  },
});

/**
 * The anchor, or undefined on a cluster that no backup was made of (or whose kube-system is new).
 *
 * @throws McprtError `anchor-unreadable`: taken for none, it would let a replay through
 */
export const readAnchor = stored.read;

/** Moves the anchor forward; never back, whatever another run wrote meanwhile. @throws McprtError `anchor-unreadable` */
export async function writeAnchor(cluster: Cluster, anchor: Anchor): Promise<void> {
  await stored.update(cluster, (found) =>
    found !== undefined && found.generation >= anchor.generation ? found : anchor,
  );
}

/** What an anchor lists of a backup. */
export function inventoryNames(secrets: Iterable<string>): string[] {
  return [...secrets].map((key) => `Secret ${key}`).sort();
}

/** `namespace/name` of each Secret that an anchor lists. */
export function inventoryKeys(anchor: Pick<Anchor, 'inventory'> | undefined): string[] {
  return (anchor?.inventory ?? []).map((name) => name.replace(/^Secret /, ''));
}
