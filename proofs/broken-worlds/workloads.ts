import { until } from '../../lab/driver/until.js';
import { at, recordsAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import type { BrokenCase, Topic } from './case.js';
import { refs } from './names.js';
import type { Site } from './site.js';

const { namespace } = refs.ui;
const image = 'registry.example.com/mcp-sentinel-ui:lab';
const kubelet = 'the kubelet’s part of a pod’s status';

/** Workloads that are not rolled out, and why. */
export const workloads: Topic = {
  topic: 'workloads',
  cases: [
    {
      name: 'the dashboard is scaled to 0',
      code: 'workload-not-ready',
      severity: 'warning',
      evidence: /spec\.replicas is 0/,
      remedy: /kubectl scale -n mcp-sentinel deployment\/mcp-sentinel-ui --replicas=1/,
      small: true,
      bundle: true,
      make: (site) => site.set(kinds.deployment, refs.ui, ['spec', 'replicas'], 0),
    },
    notPulled('the image is not in the registry', {
      code: 'image-pull',
      message: `failed to resolve reference "${image}": ${image}: not found`,
      evidence: /mcp-sentinel-ui:lab: ImagePullBackOff: .*not found/,
      small: true,
    }),
    notPulled('the registry does not answer', {
      code: 'image-pull',
      message: `failed to do request: Head "https://registry.example.com/v2/": dial tcp 192.0.2.1:443: connect: connection refused`,
      evidence: /connection refused/,
    }),
    notPulled('the node pulls without a password', {
      code: 'pull-secret-stale',
      message: `failed to authorize: no basic auth credentials`,
      evidence: /no basic auth credentials/,
      remedy: /run setup/,
    }),
    notPulled('the registry’s certificate is not for its address', {
      code: 'registry-endpoint-address',
      message: `x509: cannot validate certificate for 10.43.0.77 because it doesn't contain any IP SANs`,
      evidence: /doesn't contain any IP SANs/,
      remedy: /public registry host/,
    }),
    notPulled('the image has no variant for the node', {
      code: 'image-architecture',
      message: `no match for platform in manifest: not found`,
      evidence: /no match for platform/,
      remedy: /MCP_IMAGE_PLATFORM/,
    }),
    {
      name: 'the image’s program is for another processor',
      code: 'image-architecture',
      evidence: /exec format error/,
      standIn: kubelet,
      make: (site) =>
        setPod(site, {
          restartCount: 4,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' } },
          lastState: { terminated: { exitCode: 255, reason: 'StartError', message: 'exec /ui: exec format error' } },
        }),
    },
    {
      name: 'a container keeps crashing',
      code: 'pod-crash-loop',
      evidence: /container ui: CrashLoopBackOff, exit code 1, 7 restarts: .*DATABASE_URL is not set/,
      remedy: /kubectl logs -n mcp-sentinel mcp-sentinel-ui-.* -c ui --previous/,
      standIn: kubelet,
      bundle: true,
      make: (site) =>
        setPod(site, {
          restartCount: 7,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' } },
          lastState: { terminated: { exitCode: 1, reason: 'Error', message: 'DATABASE_URL is not set' } },
        }),
    },
    {
      name: 'no node is big enough',
      code: 'pod-unschedulable',
      evidence: /0\/\d+ nodes are available: .*Insufficient cpu/,
      make: async (site) => {
        const path = ['spec', 'template', 'spec', 'containers', 0, 'resources'];
        await site.set(kinds.deployment, refs.ui, path, { requests: { cpu: '900' } });
      },
    },
    {
      name: 'the namespace’s quota is used up',
      code: 'workload-quota',
      evidence: /exceeded quota: nothing, requested: pods=1, used: pods=\d+, limited: pods=0/,
      remedy: /kubectl describe resourcequota -n mcp-sentinel/,
      small: true,
      make: async (site) => {
        const metadata = { namespace, name: 'nothing' };
        await site.add(kinds.resourceQuota, { metadata, spec: { hard: { pods: '0' } } });
        await untilQuotaCounts(site);
        site.mendWith(() => remakePods(site));
        await site.cluster.delete(kinds.pod, (await podOf(site)).metadata);
      },
    },
    {
      name: 'a pod does not become ready',
      code: 'workload-not-ready',
      evidence: /Readiness probe failed: HTTP probe failed with statuscode: 503/,
      remedy: /kubectl rollout status -n mcp-sentinel deployment\/mcp-sentinel-ui/,
      standIn: `${kubelet}, and its event`,
      make: async (site) => {
        await setPod(site, { restartCount: 0, state: { running: { startedAt: now() } } });
        const pod = await podOf(site);
        const metadata = { namespace, name: `${pod.metadata.name}.probe` };
        const { name, uid } = pod.metadata;
        await site.add(kinds.event, {
          metadata,
          type: 'Warning',
          reason: 'Unhealthy',
          message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
          involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
        });
      },
    },
  ],
};

function notPulled(
  name: string,
  { message, ...world }: Pick<BrokenCase, 'code' | 'evidence' | 'remedy' | 'small'> & { message: string },
): BrokenCase {
  return {
    name,
    ...world,
    standIn: kubelet,
    make: (site) =>
      setPod(site, {
        restartCount: 0,
        state: {
          waiting: {
            reason: 'ImagePullBackOff',
            message: `Back-off pulling image "${image}": ErrImagePull: ${message}`,
          },
        },
      }),
  };
}

/** Writes what a kubelet would: the container's state, and that the pod is not ready. Mended, the pod is made anew. */
async function setPod(site: Site, container: Record<string, unknown>): Promise<void> {
  const pod = await podOf(site);
  site.mendWith(async () => void (await site.cluster.delete(kinds.pod, pod.metadata)));
  const conditions = recordsAt(pod, 'status', 'conditions').map((one) =>
    one.type === 'Ready' || one.type === 'ContainersReady' ? { ...one, status: 'False' } : one,
  );
  const containerStatuses = [{ name: 'ui', image, imageID: '', ready: false, lastState: {}, ...container }];
  await site.cluster.patch(
    kinds.pod,
    pod.metadata,
    [
      { op: 'add', path: '/status/conditions', value: conditions },
      { op: 'add', path: '/status/containerStatuses', value: containerStatuses },
    ],
    'status',
  );
}

async function podOf({ cluster }: Site): Promise<KubeObject> {
  const { items } = await cluster.list(kinds.pod, { namespace, labelSelector: `app=${refs.ui.name}` });
  const pod = items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (pod === undefined) throw new Error(`there is no pod of ${refs.ui.name}`);
  return pod;
}

/** A quota refuses nothing before its controller has counted what is there. */
async function untilQuotaCounts({ cluster }: Site): Promise<void> {
  await until('the quota to be counted', async () => {
    const quota = await cluster.get<KubeObject>(kinds.resourceQuota, { namespace, name: 'nothing' });
    return at(quota, 'status', 'used') !== undefined;
  });
}

/** A ReplicaSet that was refused waits longer and longer; a change of its Deployment wakes it. */
async function remakePods(site: Site): Promise<void> {
  await site.cluster.delete(kinds.resourceQuota, { namespace, name: 'nothing' });
  for (const replicas of [0, 1]) {
    const change = { op: 'replace', path: '/spec/replicas', value: replicas } as const;
    await site.cluster.patch(kinds.deployment, refs.ui, [change]);
  }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+/, '');
}
