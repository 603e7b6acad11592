import { z } from 'zod';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { packedTexts, unpackedTexts } from '../cluster/long-texts.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';

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

const ref = { namespace: 'kube-system', name: 'mcprt-wipe' };

const lines = z.string().transform((text) => text.split('\n').filter((line) => line !== ''));
const shape = z.object({
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
});

/**
 * The journal of a wipe that did not finish; undefined where there is none.
 *
 * @throws McprtError `wipe-journal`, when there is one that cannot be read: on which backup a wipe stands would be
 * unknown, and a fresh one of what is left would take its place
 */
export async function readJournal(cluster: Cluster): Promise<Journal | undefined> {
  const found = await cluster.get<KubeObject>(kinds.configMap, ref);
  if (found === undefined) return undefined;
  const parsed = shape.safeParse(unpackedTexts(found));
  if (parsed.success) {
    const { name, generation, statement, ...rest } = parsed.data;
    return { ...rest, backup: { name, generation, statement } };
  }
  throw new McprtError('wipe-journal', {
    what: 'what an earlier wipe wrote down cannot be read; nothing was changed',
    why: `ConfigMap ${ref.namespace}/${ref.name}: ${issuesText(parsed.error)}`,
    next: `where a wipe has begun (some of the platform’s namespaces are gone), run \`operation: restore\` and setup first, so that the cluster is whole; then \`kubectl delete configmap -n ${ref.namespace} ${ref.name}\`, and wipe again`,
  });
}

/** Writes the journal, in place of any earlier one. */
export async function writeJournal(cluster: Cluster, journal: Journal): Promise<void> {
  const { backup, targets, secrets, ...rest } = journal;
  const content = packedTexts({
    ...rest,
    name: backup.name,
    generation: String(backup.generation),
    statement: backup.statement,
    targets: targets.join('\n'),
    secrets: [...secrets].map((pair) => pair.join(' ')).join('\n'),
  });
  await cluster.apply(kinds.configMap, objectOf(kinds.configMap, { metadata: ref, ...content }), { force: true });
}

export async function removeJournal(cluster: Cluster): Promise<void> {
  await cluster.delete(kinds.configMap, ref);
}

function pairOf(line: string): [string, string] {
  const [key = '', version = ''] = line.split(' ');
  return [key, version];
}

/** @returns which fields are wrong, and never what stands in them */
function issuesText({ issues }: z.ZodError): string {
  return issues.map(({ path, code }) => `${path.join('.') || 'data'}: ${code}`).join('; ');
}
