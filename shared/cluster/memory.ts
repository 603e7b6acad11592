import type * as z from 'zod';
import { McprtError } from '../errors.js';
import { type Cluster, isConflict, isNotFound, objectOf } from './cluster.js';
import { packedTexts, unpackedTexts } from './long-texts.js';
import { type KubeObject, kinds } from './objects.js';

/** What a cluster remembers from run to run, in one ConfigMap of kube-system, which no wipe takes. It holds no secret. */
export interface Memory<T> {
  ref: { namespace: string; name: string };
  /** What is remembered; undefined where there is nothing. @throws McprtError of `unreadable`: it is never taken for nothing */
  read(cluster: Cluster): Promise<T | undefined>;
  /**
   * Moves on from what is there, whatever other runs write meanwhile: of two that find the same, only one gets through, and the
   * other one decides anew.
   *
   * @param next what is to be there, from what is; the same for nothing to do, and undefined to forget it
   */
  update<Next extends T | undefined>(cluster: Cluster, next: (found: T | undefined) => Next): Promise<Next>;
  forget(cluster: Cluster): Promise<void>;
}

/** What one memory is like. */
export interface MemoryOptions<T> {
  name: string;
  /** Reads the texts of its ConfigMap. */
  shape: z.ZodType<T>;
  texts: (value: T) => Record<string, string>;
  /** The error where there is what nobody has written so: its `why` names the fields, and never what stands in them. */
  unreadable: { code: `${string}-${string}`; what: string; next: (remove: string) => string };
}

const attempts = 5;

/** A memory of mcprt's. */
export function memory<T>({ name, shape, texts, unreadable }: MemoryOptions<T>): Memory<T> {
  const ref = { namespace: 'kube-system', name };
  const content = (found: KubeObject): T => {
    const parsed = shape.safeParse(unpackedTexts(found));
    if (parsed.success) return parsed.data;
    const fields = parsed.error.issues.map(({ path, code }) => `${path.join('.') || 'data'}: ${code}`);
    throw new McprtError(unreadable.code, {
      what: unreadable.what,
      why: `ConfigMap ${ref.namespace}/${name} is not what mcprt writes: ${fields.join('; ')}`,
      next: unreadable.next(`\`kubectl delete configmap -n ${ref.namespace} ${name}\``),
    });
  };
  const get = (cluster: Cluster): Promise<KubeObject | undefined> => cluster.get<KubeObject>(kinds.configMap, ref);
  return {
    ref,
    async read(cluster) {
      const found = await get(cluster);
      return found && content(found);
    },
    async update(cluster, next) {
      for (let attempt = 1; ; attempt += 1) {
        const found = await get(cluster);
        const before = found && content(found);
        const after = next(before);
        if (after === before) return after;
        try {
          if (after === undefined) {
            await cluster.delete(kinds.configMap, ref, uidOf(found));
            return after;
          }
          const { data, binaryData = {} } = packedTexts(texts(after));
          if (found === undefined) {
            await cluster.create(kinds.configMap, objectOf(kinds.configMap, { metadata: ref, data, binaryData }));
          } else {
            await cluster.patch(kinds.configMap, ref, [
              { op: 'test', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion },
              { op: 'add', path: '/data', value: data },
              { op: 'add', path: '/binaryData', value: binaryData },
            ]);
          }
          return after;
        } catch (error) {
          if (attempt === attempts || !(isConflict(error) || isNotFound(error))) throw error;
        }
      }
    },
    async forget(cluster) {
      await cluster.delete(kinds.configMap, ref);
    },
  };
}

/** That a deletion is of this very object, and of none that was made since. */
function uidOf(found: KubeObject | undefined): { uid?: string } {
  return found?.metadata.uid === undefined ? {} : { uid: found.metadata.uid };
}
