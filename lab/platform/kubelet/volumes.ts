import { at, recordsAt, textAt } from '../../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';

/** Why a pod's volumes cannot be mounted, in a kubelet's words; empty when they can. What is optional may be missing. */
export async function unmountedOf(
  pod: KubeObject,
  get: (kind: Kind, ref: { namespace: string; name: string }) => Promise<KubeObject | undefined>,
): Promise<string> {
  const namespace = pod.metadata.namespace ?? '';
  for (const volume of recordsAt(pod, 'spec', 'volumes')) {
    for (const { kind, source, name, word, keyWord } of [
      { kind: kinds.secret, source: volume.secret, name: textAt(volume, 'secret', 'secretName'), ...words.secret },
      {
        kind: kinds.configMap,
        source: volume.configMap,
        name: textAt(volume, 'configMap', 'name'),
        ...words.configMap,
      },
    ]) {
      if (name === '' || at(source, 'optional') === true) continue;
      const head = `MountVolume.SetUp failed for volume "${textAt(volume, 'name')}" : `;
      const found = await get(kind, { namespace, name });
      if (found === undefined) return `${head}${word} "${name}" not found`;
      const lost = recordsAt(source, 'items').find((item) => at(found, 'data', textAt(item, 'key')) === undefined);
      if (lost !== undefined) return `${head}${keyWord}: ${textAt(lost, 'key')}`;
    }
  }
  return '';
}

const words = {
  secret: { word: 'secret', keyWord: 'references non-existent secret key' },
  configMap: { word: 'configmap', keyWord: 'configmap references non-existent config key' },
} as const;
