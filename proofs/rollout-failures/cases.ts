import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killPart, startPart } from '../../lab/driver/lab.js';
import { until } from '../../lab/driver/until.js';
import { makeCheckout } from '../../lab/platform/checkout.js';
import { asNew, createObject } from '../../lab/platform/objects.js';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { mustWork } from '../support/runs.js';
import { nodeName, otherRegistryHost } from '../world/kubelet.js';
import { clusterFailures } from './cluster-cases.js';
import { imageFailures } from './image-cases.js';
import {
  containers,
  cordon,
  type Failure,
  inTheMiddle,
  labelled,
  meanwhile,
  namespace,
  own,
  patchTarget,
  setDeadline,
  target,
  untilPodsAreRefused,
  whileSo,
} from './support.js';
import { templateFailures } from './template-cases.js';

const journal = { namespace: 'kube-system', name: 'mcprt-rollout' };
const fullQuota = { namespace, name: 'full' };
const noMorePods = { name: 'no-more-pods' };
const envFrom = '/spec/template/spec/containers/0/envFrom';

const mixed: readonly Failure[] = [
  {
    name: 'image that no registry has',
    finding: 'image-pull',
    says: /the image is not in the registry/,
    quick: true,
    async run(world) {
      const missing = `${target(world)}=${otherRegistryHost}/nothing@sha256:${'0'.repeat(64)}`;
      return world.rollout({ images: missing });
    },
  },
  {
    name: 'image for another processor, from a registry that only the nodes know',
    finding: 'image-architecture',
    says: /built for another processor/,
    async run(world) {
      const pushed = await world.services.push(target(world), {}, 'arm64');
      return world.rollout({ images: `${target(world)}=${pushed.replace(/^[^/]+/, otherRegistryHost)}` });
    },
  },
  {
    name: 'image for another processor, in the platform’s registry',
    error: 'rollout-architecture',
    says: /another processor/,
    ends: 'none',
    quick: true,
    async run(world) {
      return world.rollout({ images: `${target(world)}=${await world.services.push(target(world), {}, 'arm64')}` });
    },
  },
  {
    name: 'image that the platform’s registry does not have',
    error: 'image-missing',
    says: /not in the registry/,
    ends: 'none',
    quick: true,
    async run(world) {
      const pushed = await world.services.push(target(world));
      return world.rollout({ images: `${target(world)}=${pushed.replace(/sha256:.*/, `sha256:${'1'.repeat(64)}`)}` });
    },
  },
  {
    name: 'crash loop',
    finding: 'pod-crash-loop',
    says: /its container keeps crashing/,
    quick: true,
    run: labelled({ exit: '1', log: 'reading the configuration\npanic: no route to the database' }),
  },
  {
    name: 'killed for its memory',
    finding: 'pod-crash-loop',
    says: /its container is killed for its memory/,
    run: labelled({ oom: 'true' }),
  },
  {
    name: 'never ready',
    finding: 'probe-failing',
    says: /its readiness probe fails: HTTP probe failed with statuscode: 503/,
    quick: true,
    run: labelled({ ready: 'never' }, { 'rollout-timeout': '5s' }),
  },
  {
    name: 'no progress within the Deployment’s own deadline',
    finding: 'probe-failing',
    says: /its readiness probe fails: HTTP probe failed with statuscode: 503/,
    run: whileSo(
      (world) => setDeadline(world, 3),
      (world) => setDeadline(world, 600),
      labelled({ ready: 'never' }),
    ),
  },
  {
    name: 'quota that allows no further pod',
    finding: 'workload-quota',
    says: /quota full allows no further pod/,
    run: whileSo(
      async ({ cluster }) => {
        const { items } = await cluster.list(kinds.pod, { namespace });
        await createObject(cluster, kinds.resourceQuota, {
          metadata: fullQuota,
          spec: { hard: { pods: String(items.length) } },
        });
        await until('the quota to be counted', async () => {
          const found = await cluster.get<KubeObject>(kinds.resourceQuota, fullQuota);
          return Number(textAt(found, 'status', 'used', 'pods') || -1) >= items.length;
        });
      },
      ({ cluster }) => cluster.delete(kinds.resourceQuota, fullQuota),
    ),
  },
  {
    name: 'admission that refuses the pods',
    finding: 'workload-quota',
    says: /the admission policy no-more-pods refuses its pods/,
    run: whileSo(
      async ({ cluster }) => {
        const metadata = noMorePods;
        await createObject(cluster, kinds.admissionPolicy, {
          metadata,
          spec: {
            failurePolicy: 'Fail',
            matchConstraints: {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
              resourceRules: [{ apiGroups: [''], apiVersions: ['*'], operations: ['CREATE'], resources: ['pods'] }],
            },
            validations: [{ expression: 'false', message: 'no further pods by order of the security team' }],
          },
        });
        const spec = { policyName: metadata.name, validationActions: ['Deny'] };
        await createObject(cluster, kinds.admissionPolicyBinding, { metadata, spec });
        await untilPodsAreRefused(cluster);
      },
      async ({ cluster }) => {
        await cluster.delete(kinds.admissionPolicyBinding, noMorePods);
        await cluster.delete(kinds.admissionPolicy, noMorePods);
      },
    ),
  },
  {
    name: 'registry that goes down in the middle',
    finding: 'image-pull',
    says: /the registry does not answer the node/,
    run: whileSo(
      async ({ cluster }) => {
        if (await cluster.get(kinds.configMap, journal)) throw new Error('a journal was left');
      },
      ({ registry }) => registry.start(),
      async ({ services, rollout, cluster, registry }) =>
        meanwhile(
          rollout({ images: await services.pushAll(), 'rollout-timeout': '90s' }),
          async () => (await cluster.get(kinds.configMap, journal)) !== undefined,
          () => registry.kill(),
        ),
    ),
  },
  {
    name: 'credentials of the nodes that have expired',
    finding: 'pull-secret-stale',
    says: /refuses the credentials/,
    quick: true,
    run: whileSo(
      ({ kubelet }) => kubelet.refuse(true),
      ({ kubelet }) => kubelet.refuse(false),
    ),
  },
  {
    name: 'Secret that the container needs and nobody made',
    finding: 'pod-config',
    says: /Secret extra is not there/,
    run: whileSo(
      async (world) => {
        const metadata = { namespace, name: 'extra' };
        await createObject(world.cluster, kinds.secret, { metadata, data: { KEY: 'dmFsdWU=' } });
        await patchTarget(world, { op: 'add', path: `${envFrom}/-`, value: { secretRef: { name: metadata.name } } });
        await world.services.settled();
        await world.cluster.delete(kinds.secret, metadata);
      },
      async (world) => {
        await patchTarget(world, { op: 'remove', path: `${envFrom}/2` });
        await world.services.settled();
      },
    ),
  },
  {
    name: 'no node that takes the pod',
    finding: 'pod-unschedulable',
    says: /no node takes its pod: .*unschedulable/,
    run: whileSo(
      (world) => cordon(world, nodeName, true),
      (world) => cordon(world, nodeName, false),
    ),
  },
  {
    name: 'node that is gone',
    finding: 'node-not-ready',
    says: /which is not Ready/,
    async run(world) {
      const kubelet = await world.kubelet.addNode('lab-doomed');
      await cordon(world, nodeName, true);
      kubelet.stopHeartbeat();
      try {
        return await labelled({}, { 'rollout-timeout': '180s' })(world);
      } finally {
        await cordon(world, nodeName, false);
        await kubelet.close();
        const { items } = await world.cluster.list(kinds.pod, { namespace, fieldSelector: 'spec.nodeName=lab-doomed' });
        await Promise.all(items.map((pod) => world.kubelet.remove(pod)));
        await world.cluster.delete(kinds.node, { name: 'lab-doomed' });
      }
    },
  },
  {
    name: 'Ready pods that answer 500',
    finding: 'endpoint-failing',
    says: /was healthy before the rollout, and is not any more/,
    run: labelled({ 'http-status': '500' }),
  },
  {
    name: 'another writer, in the middle',
    finding: 'rollout-overwritten',
    says: /`?hotfix`? gave it another image meanwhile/,
    ends: 'left',
    quick: true,
    async run(world) {
      const image = await world.services.push(target(world));
      return inTheMiddle(world, async () => {
        const [container] = await containers(world);
        await own(world, 'hotfix', [{ name: container?.name ?? '', image }]);
      });
    },
  },
  {
    name: 'Deployment that somebody deletes in the middle',
    finding: 'rollout-overwritten',
    says: /it was deleted/,
    ends: 'left',
    async run(world) {
      const ref = { namespace, name: target(world) };
      const found = await world.cluster.get<KubeObject>(kinds.deployment, ref);
      const run = await inTheMiddle(world, () => world.cluster.delete(kinds.deployment, ref));
      if (found !== undefined) await world.cluster.create(kinds.deployment, asNew(found));
      return run;
    },
  },
  {
    name: 'GitOps program that would put its own image back',
    error: 'rollout-reconciler',
    says: /another program looks after these images/,
    ends: 'none',
    quick: true,
    run: whileSo(
      async (world) => own(world, 'argocd-controller', await containers(world)),
      (world) => own(world, 'argocd-controller', []),
    ),
  },
  {
    name: 'cancelled',
    error: 'job-cancelled',
    says: /the run was cancelled/,
    quick: true,
    async run(world) {
      const run = await inTheMiddle(world, async (pid) => process.kill(pid, 'SIGINT'));
      mustWork('the post step', await world.run('rollout-post', {}, { STATE_written: 'yes' }));
      return run;
    },
  },
  {
    name: 'API server that restarts in the middle',
    error: '',
    says: /Rolled out and verified/,
    ends: 'done',
    run: (world) =>
      inTheMiddle(world, async () => {
        await killPart(world.state, 'apiserver');
        await sleep(1_500);
        await startPart(world.state, 'apiserver');
      }),
  },
  {
    name: 'input `layout` that is not the cluster’s',
    error: 'rollout-layout',
    says: /the cluster has the layout/,
    ends: 'none',
    quick: true,
    run: (world) => world.rollout({ layout: world.layout === 'split' ? 'mono' : 'split' }),
  },
  {
    name: 'source of the other layout',
    error: 'rollout-source',
    says: /the source has the layout/,
    ends: 'none',
    quick: true,
    async run({ rollout, installation, layout, domain, folder }) {
      const source = join(folder, 'source-of-the-other');
      const other = layout === 'split' ? 'mono' : 'split';
      await makeCheckout(source, { installation: { ...installation, layout: other }, domain });
      return rollout({ source });
    },
  },
  {
    name: 'plan that has moved since its approval',
    error: 'rollout-plan-moved',
    says: /is not what was approved/,
    ends: 'none',
    quick: true,
    async run(world) {
      const images = await world.services.pushAll();
      const plan = await world.rollout({ operation: 'plan', images });
      const other = await world.services.pushAll();
      return world.rollout({ images: other, 'expect-plan': plan.outputs.plan ?? '' });
    },
  },
  {
    name: 'another rollout that is under way',
    error: 'rollout-busy',
    says: /another rollout is under way/,
    ends: 'none',
    quick: true,
    run: whileSo(
      ({ cluster }) => {
        const previous = JSON.stringify({ config: {}, workloads: [], permissions: [] });
        const data = { run: 'acme/other/7/rollout', expires: new Date(Date.now() + 600_000).toISOString(), previous };
        return createObject(cluster, kinds.configMap, { metadata: journal, data });
      },
      ({ cluster }) => cluster.delete(kinds.configMap, journal),
    ),
  },
];

/** Every rollout that is shown. */
export const failures: readonly Failure[] = [...mixed, ...imageFailures, ...templateFailures, ...clusterFailures];
