import { type Registry, startRegistry } from '../../lab/driver/registry.js';
import { registryAuth } from '../../lab/platform/registry.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { Base } from './base.js';
import type { Made } from './part.js';

export const registryHost = 'registry.example.com';

/** A real registry behind the platform's Ingress, which asks for a password. */
export async function makeRegistry({ context, state, cluster }: Base): Promise<Made<Registry>> {
  await cluster.patch(kinds.ingress, { namespace: 'registry', name: 'registry' }, [
    { op: 'add', path: '/metadata/annotations', value: { [registryAuth.annotation]: registryAuth.middleware } },
  ]);
  return { part: await startRegistry(state, { env: context.env, progress: context.progress }) };
}
