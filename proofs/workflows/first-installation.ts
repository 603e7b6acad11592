import { difference } from '../../lab/driver/meter.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { kinds } from '../../shared/cluster/objects.js';
import { leaves } from '../leaves.js';
import type { Rig } from '../rig.js';
import type { PlayedWorkflow, Repository } from './repository.js';
import { play, type Stage } from './stage.js';

/** On a cluster without MCP Runtime; the first run is stopped in the middle, and the second one goes on. */
export async function firstInstallation(stage: Stage, rig: Rig, repository: Repository): Promise<PlayedWorkflow[]> {
  const { problems } = stage;
  const before = await rig.meter();
  const setup = ['plan@mcprt-plan', 'approve@mcprt-approval', 'setup@mcprt-restore'];
  const allow = await denyDeployments(rig, 'registry');
  const stopped = await play(stage, repository, 'first installation, stopped', 'deploy.yml', {
    event: 'push',
    jobs: setup,
    fails: /installer-step/,
  });
  await allow();
  const resumed = await play(stage, repository, 'first installation, resumed', 'deploy.yml', {
    event: 'push',
    jobs: [...setup, 'save@mcprt-backup', 'smoke-test@mcprt-smoke'],
  });
  const { orders, issued } = difference(before, await rig.meter());
  const certificates = (await leaves(rig.cluster)).filter(({ acme }) => acme).length;
  if (certificates === 0 || orders !== certificates || issued !== certificates) {
    problems.push(`first installation: ${certificates} certificates, ${orders} orders, ${issued} issued`);
  }
  return [stopped, resumed];
}

/** Lets nobody make a Deployment in a namespace, until what it returns is called. */
async function denyDeployments({ cluster }: Rig, namespace: string): Promise<() => Promise<void>> {
  const name = 'no-deployments';
  const rule = { apiGroups: ['apps'], apiVersions: ['*'], operations: ['CREATE'], resources: ['deployments'] };
  await cluster.apply(
    kinds.admissionPolicy,
    objectOf(kinds.admissionPolicy, {
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: `object.metadata.namespace != '${namespace}'`, message: 'not today' }],
      },
    }),
  );
  await cluster.apply(
    kinds.admissionPolicyBinding,
    objectOf(kinds.admissionPolicyBinding, {
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    }),
  );
  return async () => {
    await cluster.delete(kinds.admissionPolicyBinding, { name });
    await cluster.delete(kinds.admissionPolicy, { name });
  };
}
