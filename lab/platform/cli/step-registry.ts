import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { namespaces } from '../names.js';
import { registryAuth, registryObjects } from '../registry.js';
import { CliError } from './errors.js';
import { type Run, rolledOut } from './run.js';

type Node = KubeObject & { status?: { nodeInfo?: { kubeletVersion?: string; architecture?: string } } };
const ref = { namespace: namespaces.registry, name: 'registry' };

/** Service, claim, Deployment, Ingress and policies of the registry. A Deployment that is late only warns. */
export async function registryStep(run: Run): Promise<void> {
  const { console, options } = run;
  console.section('Step 4: Configure registry');
  const onK3s = (await nodes(run)).some(({ status }) => status?.nodeInfo?.kubeletVersion?.includes('k3s'));
  await applyAll(run, registryObjects(options.hosts.registry, options.registryStorage, onK3s));
  if (!(await rolledOut(run, ref))) console.warning('registry deployment is not ready yet');
  console.plain(
    `Registry Information\n  URL: https://${options.hosts.registry}\n  Endpoint: ${options.registryEndpoint}`,
  );
}

/** Takes authentication off the public registry, so that the images can be pushed. It says nothing about it. */
export async function disableRegistryAuth({ client }: Run): Promise<void> {
  await client.annotate(
    kinds.ingress,
    () => registryIngress(client.cluster),
    ({ [registryAuth.annotation]: _removed, ...annotations }) => annotations,
  );
}

/** Puts it back. A failure is printed and changes nothing else: setup has succeeded or failed before. */
export async function enableRegistryAuth({ client, console }: Run): Promise<void> {
  try {
    await client.annotate(
      kinds.ingress,
      () => registryIngress(client.cluster),
      (annotations) => ({ ...annotations, [registryAuth.annotation]: registryAuth.middleware }),
    );
  } catch (error) {
    console.error(`failed to re-enable registry authentication: ${messageOf(error)}`);
  }
}

/** Applies one after the other, as the installer does. @throws CliError for a kind that the cluster does not serve */
export async function applyAll({ client }: Run, objects: readonly [Kind, KubeObject][]): Promise<void> {
  for (const [kind, object] of objects) {
    try {
      await client.merge(kind, object);
    } catch (error) {
      throw new CliError(`failed to apply ${kind.kind} ${object.metadata.name}: ${messageOf(error)}`);
    }
  }
}

export async function nodes({ client }: Run): Promise<Node[]> {
  return (await client.cluster.list<Node>(kinds.node)).items;
}

async function registryIngress(cluster: Run['client']['cluster']): Promise<KubeObject> {
  const found = await cluster.get<KubeObject>(kinds.ingress, ref);
  if (found === undefined) throw new CliError('Ingress registry/registry not found');
  return found;
}
