import { at, recordsAt, textAt } from '../../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';

interface Source {
  kind: Kind;
  word: string;
  name: string;
  /** One key, or everything in it. */
  key: string | undefined;
}

/**
 * Why a container's environment cannot be made, in a kubelet's words; empty when it can. A key with an empty value is
 * there, and what is optional may be missing.
 */
export async function missingOf(
  container: Record<string, unknown>,
  namespace: string,
  get: (kind: Kind, ref: { namespace: string; name: string }) => Promise<KubeObject | undefined>,
): Promise<string> {
  for (const { kind, word, name, key } of sourcesOf(container)) {
    const found = await get(kind, { namespace, name });
    if (found === undefined) return `${word} "${name}" not found`;
    if (key !== undefined && at(found, 'data', key) === undefined) {
      return `couldn't find key ${key} in ${kind.kind} ${namespace}/${name}`;
    }
  }
  return '';
}

function sourcesOf(container: Record<string, unknown>): Source[] {
  const kindsOf = [
    { kind: kinds.secret, word: 'secret', whole: 'secretRef', single: 'secretKeyRef' },
    { kind: kinds.configMap, word: 'configmap', whole: 'configMapRef', single: 'configMapKeyRef' },
  ];
  return kindsOf.flatMap(({ kind, word, whole, single }) => [
    ...recordsAt(container, 'envFrom').flatMap((one) => sourceAt(at(one, whole), { kind, word }, false)),
    ...recordsAt(container, 'env').flatMap((one) => sourceAt(at(one, 'valueFrom', single), { kind, word }, true)),
  ]);
}

function sourceAt(ref: unknown, about: Pick<Source, 'kind' | 'word'>, hasKey: boolean): Source[] {
  const name = textAt(ref, 'name');
  if (name === '' || at(ref, 'optional') === true) return [];
  return [{ ...about, name, key: hasKey ? textAt(ref, 'key') : undefined }];
}
