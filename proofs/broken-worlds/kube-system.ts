import { installK3s } from '../../lab/platform/k3s.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { BrokenCase, Topic } from './case.js';
import { refs } from './names.js';
import type { Site } from './site.js';

const namespace = 'kube-system';

/** What k3s runs for everyone, gone or stopped. */
export const kubeSystem: Topic = {
  topic: 'kube-system',
  cases: [
    {
      name: 'kube-system was wiped',
      code: 'kube-system-wiped',
      evidence: /no Deployment coredns and no Deployment traefik/,
      remedy: /systemctl restart k3s/,
      follows: ['port-80-closed', 'port-443-closed'],
      bundle: true,
      small: true,
      make: async (site) => {
        site.mendWith(() => installK3s(site.cluster));
        await Promise.all(
          [kinds.deployment, kinds.daemonSet, kinds.service, kinds.configMap].map(async (kind) => {
            const { items } = await site.cluster.list(kind, { namespace });
            const own = items.filter(({ metadata }) => !/^(?:extension-apiserver|mcprt-)/.test(metadata.name));
            await Promise.all(own.map(({ metadata }) => site.cluster.delete(kind, metadata)));
          }),
        );
      },
    },
    {
      name: 'the HelmChart kind is gone',
      code: 'helmchart-crd-missing',
      evidence: /kind is not served/,
      remedy: /systemctl restart k3s.*do not make these objects by hand/,
      make: async (site) => {
        site.mendWith(() => installK3s(site.cluster));
        for (const name of ['helmcharts', 'helmchartconfigs']) {
          await site.cluster.delete(kinds.crd, { name: `${name}.helm.cattle.io` });
        }
      },
    },
    gone('CoreDNS', 'coredns-down', refs.coredns),
    stopped('CoreDNS', 'coredns-down', refs.coredns),
    { ...gone('Traefik', 'traefik-down', refs.traefik), follows: ['port-80-closed', 'port-443-closed'] },
    {
      ...stopped('Traefik', 'traefik-down', refs.traefik),
      follows: ['port-80-closed', 'port-443-closed'],
      bundle: true,
    },
    {
      name: 'the load balancer before Traefik is gone',
      code: 'svclb-missing',
      evidence: /no DaemonSet svclb-traefik/,
      follows: ['port-80-closed', 'port-443-closed'],
      make: async (site) => {
        const { items } = await site.cluster.list(kinds.daemonSet, { namespace });
        const balancer = items.find(({ metadata }) => metadata.name.startsWith('svclb-traefik-'));
        await site.remove(kinds.daemonSet, { namespace, name: balancer?.metadata.name ?? '' });
      },
    },
    {
      name: 'the IngressClass is gone',
      code: 'ingress-class-missing',
      evidence: /classes: none/,
      make: removed(kinds.ingressClass, 'traefik'),
    },
    {
      name: 'the default StorageClass is gone',
      code: 'storage-class-missing',
      evidence: /classes: none/,
      make: removed(kinds.storageClass, 'local-path'),
    },
    {
      name: 'a StorageClass is there, and none is the default',
      code: 'storage-class-missing',
      evidence: /classes: local-path/,
      remedy: /is-default-class=true/,
      make: async (site) => {
        const path = ['metadata', 'annotations', 'storageclass.kubernetes.io/is-default-class'];
        await site.set(kinds.storageClass, { name: 'local-path' }, path, undefined);
      },
    },
  ],
};

type Down = Pick<BrokenCase, 'name' | 'code' | 'evidence' | 'make'>;

function gone(what: string, code: BrokenCase['code'], ref: { namespace: string; name: string }): Down {
  return {
    name: `${what} is gone`,
    code,
    evidence: /not found/,
    make: (site) => site.remove(kinds.deployment, ref),
  };
}

function stopped(what: string, code: BrokenCase['code'], ref: { namespace: string; name: string }): Down {
  return {
    name: `${what} is scaled to 0`,
    code,
    evidence: /spec\.replicas is 0/,
    make: (site) => site.set(kinds.deployment, ref, ['spec', 'replicas'], 0),
  };
}

function removed(kind: (typeof kinds)[keyof typeof kinds], name: string): (site: Site) => Promise<undefined> {
  return async (site) => {
    await site.remove(kind, { name });
    return undefined;
  };
}
