import { until } from '../../lab/driver/until.js';
import { createObject } from '../../lab/platform/objects.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { Topic } from './case.js';
import { freezeKubelet } from './freeze.js';
import type { Site } from './site.js';

const namespace = 'mcp-team-leaving';

/** What stands in the way of any write: namespaces that do not go, APIs and admission without a server. */
export const namespaces: Topic = {
  topic: 'namespaces',
  cases: [
    {
      name: 'an API whose service is gone',
      code: 'apiservice-unavailable',
      severity: 'warning',
      evidence: /service\/gone in "default" is not present/,
      remedy: /kubectl delete apiservice v1\.dead\.example\.com/,
      make: (site) =>
        site.add(kinds.apiService, {
          metadata: { name: 'v1.dead.example.com' },
          spec: {
            group: 'dead.example.com',
            version: 'v1',
            groupPriorityMinimum: 100,
            versionPriority: 100,
            insecureSkipTLSVerify: true,
            service: { namespace: 'default', name: 'gone', port: 443 },
          },
        }),
    },
    {
      name: 'a namespace that is held by a finalizer',
      code: 'namespace-held',
      evidence: /configmaps report waits for example\.com\/hold/,
      remedy: /only when it never will/,
      bundle: true,
      make: async (site) => {
        await makeNamespace(site);
        const report = { namespace, name: 'report', finalizers: ['example.com/hold'] };
        await createObject(site.cluster, kinds.configMap, { metadata: report });
        site.mendWith(async () => {
          await site.cluster.patch(kinds.configMap, report, [{ op: 'remove', path: '/metadata/finalizers' }]);
        });
        await site.cluster.delete(kinds.namespace, { name: namespace });
      },
    },
    {
      name: 'a namespace whose pods take their time',
      code: 'namespace-terminating',
      evidence: /being deleted for 0 min/,
      remedy: /kubectl wait --for=delete namespace\/mcp-team-leaving/,
      make: async (site) => {
        await makeNamespace(site);
        const spec = { containers: [{ name: 'slow', image: 'registry.invalid/slow:1' }] };
        const pod = objectOf(kinds.pod, { metadata: { namespace, name: 'slow' }, spec });
        await site.cluster.create(kinds.pod, { ...pod, spec: { ...spec, nodeName: 'lab-node' } });
        freezeKubelet(site);
        await site.cluster.delete(kinds.namespace, { name: namespace });
      },
    },
    {
      name: 'admission that asks a service that is gone',
      code: 'admission-webhook-orphaned',
      severity: 'warning',
      evidence: /mcp-runtime\/mcp-runtime-operator-webhook-service, which is not there/,
      remedy: /kubectl delete (?:mutating|validating)webhookconfiguration/,
      bundle: true,
      small: true,
      make: (site) =>
        site.remove(kinds.service, { namespace: 'mcp-runtime', name: 'mcp-runtime-operator-webhook-service' }),
    },
  ],
};

async function makeNamespace(site: Site): Promise<void> {
  await createObject(site.cluster, kinds.namespace, { metadata: { name: namespace } });
  const isGone = async (): Promise<boolean> =>
    (await site.cluster.get(kinds.namespace, { name: namespace })) === undefined;
  site.mendWith(async () => void (await until(`namespace ${namespace} to go`, isGone, { seconds: 45 })));
}
