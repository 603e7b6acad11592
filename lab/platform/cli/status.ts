import { kinds } from '../../../shared/cluster/objects.js';
import { namespaces } from '../names.js';
import { operatorName } from '../operator/objects.js';
import { isRolledOut } from '../waits.js';
import { earlyKubeconfig, openClient } from './client.js';
import type { Surroundings } from './setup.js';

/** Says how the main parts are. It never fails, whatever it finds: the exit code says nothing. */
export async function status(_argv: readonly string[], { env, console }: Surroundings): Promise<void> {
  try {
    const { cluster, close } = await openClient(earlyKubeconfig('', env), env);
    try {
      console.plain(`Kubernetes ${await cluster.version()}`);
      for (const ref of [
        { namespace: namespaces.registry, name: 'registry' },
        { namespace: namespaces.runtime, name: operatorName },
        { namespace: namespaces.sentinel, name: 'mcp-sentinel-ui' },
      ]) {
        const found = await cluster.get(kinds.deployment, ref);
        const state =
          found === undefined ? 'missing' : (await isRolledOut(cluster, 'deployment', ref)) ? 'ready' : 'not ready';
        console.plain(`${ref.namespace}/${ref.name}  ${state}`);
      }
    } finally {
      await close();
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
  }
}
