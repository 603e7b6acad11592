import { applyObject } from '../../lab/platform/objects.js';
import { kinds } from '../../shared/cluster/objects.js';
import { leaves } from '../support/leaves.js';
import type { World } from '../world/world.js';
import { play, type Story } from './play.js';
import type { Repository } from './repository.js';

/** On a cluster without MCP Runtime; the first run is stopped in the middle, and the second one goes on. */
export async function firstInstallation(story: Story, world: World, repository: Repository): Promise<void> {
  const setup = ['plan@mcprt-plan', 'approve@mcprt-approval', 'setup@mcprt-restore'];
  const { orders, issued } = await world.counting(async () => {
    const allow = await denyDeployments(world, 'registry');
    await play(story, repository, 'first installation, stopped', 'deploy.yml', {
      event: 'push',
      jobs: setup,
      fails: /installer-step/,
    });
    await allow();
    await play(story, repository, 'first installation, resumed', 'deploy.yml', {
      event: 'push',
      jobs: [...setup, 'save@mcprt-backup', 'smoke-test@mcprt-smoke'],
    });
  });
  const certificates = (await leaves(world.cluster)).filter(({ acme }) => acme).length;
  const isOnce = certificates > 0 && orders === certificates && issued === certificates;
  const what = `first installation: ${certificates} certificates, ${orders} orders, ${issued} issued`;
  story.context.expect(isOnce, what);
}

/** Lets nobody make a Deployment in a namespace, until what it returns is called. */
async function denyDeployments({ cluster }: World, namespace: string): Promise<() => Promise<void>> {
  const name = 'no-deployments';
  const rule = { apiGroups: ['apps'], apiVersions: ['*'], operations: ['CREATE'], resources: ['deployments'] };
  await applyObject(cluster, kinds.admissionPolicy, {
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: `object.metadata.namespace != '${namespace}'`, message: 'not today' }],
    },
  });
  await applyObject(cluster, kinds.admissionPolicyBinding, {
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  });
  return async () => {
    await cluster.delete(kinds.admissionPolicyBinding, { name });
    await cluster.delete(kinds.admissionPolicy, { name });
  };
}
