import { at, numberAt, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import { rolloutState } from '../../cluster/rollout-state.js';
import { podsOf } from '../../cluster/workloads.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

const restart =
  'restart k3s on the control plane, which brings back all of it from its own manifests: `systemctl restart k3s`; do not make these objects by hand';

/** What k3s runs for everyone: name resolution, Traefik, its load balancer, the HelmChart kind (runbook: wiped kube-system). */
export function checkKubeSystem(facts: PlatformFacts): Finding[] {
  if (facts.unseen.includes('deployments in kube-system')) return classes(facts);
  const inSystem = facts.workloads.filter(({ metadata }) => metadata.namespace === 'kube-system');
  const coredns = inSystem.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'coredns');
  const traefik = traefikOf(facts);
  const balancer = inSystem.find(
    ({ kind, metadata }) => kind === 'DaemonSet' && metadata.name.startsWith('svclb-traefik'),
  );
  if (coredns === undefined && traefik === undefined) return [wiped(inSystem)];
  return [
    ...helmCharts(facts),
    ...down('coredns-down', coredns, 'Deployment kube-system/coredns', 'no pod of the cluster can resolve a name'),
    ...down(
      'traefik-down',
      traefik,
      'Deployment kube-system/traefik',
      'nothing answers on port 80 and 443, and Let’s Encrypt cannot check any name',
    ).map((finding) => withFiles(finding, missingTraefikFiles(facts))),
    ...loadBalancer(facts, balancer),
    ...classes(facts),
  ];
}

/** ConfigMaps that the platform's installer mounts into Traefik, without which no pod of it starts. */
const traefikFiles = /configmap "(?:traefik-dynamic|traefik-plugin-pii-redactor)" not found/;

/** What says that Traefik waits for files that the platform's installer makes: setup brings it back. */
export function missingTraefikFiles(facts: PlatformFacts): string[] {
  const traefik = traefikOf(facts);
  const pods = traefik === undefined ? [] : podsOf(traefik, facts.pods).map(({ metadata }) => metadata.name);
  return facts.warnings
    .filter((event) => pods.includes(textAt(event, 'involvedObject', 'name')))
    .map((event) => textAt(event, 'message'))
    .filter((message) => traefikFiles.test(message));
}

function withFiles(finding: Finding, missing: readonly string[]): Finding {
  if (missing.length === 0) return finding;
  return {
    ...finding,
    cause: `${finding.cause}; its pods wait for files that the platform’s installer makes`,
    evidence: [...finding.evidence, ...new Set(missing)],
    remedy: 'run setup, which makes them again',
  };
}

/** Traefik's Deployment: k3s' own in kube-system, or the platform's. */
export function traefikOf({ workloads }: Pick<PlatformFacts, 'workloads'>): KubeObject | undefined {
  return workloads.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'traefik');
}

function wiped(inSystem: readonly KubeObject[]): Finding {
  return finding('kube-system-wiped', {
    subject: 'Namespace kube-system',
    cause: 'k3s’ own components are gone: kube-system was wiped',
    evidence: [
      'there is no Deployment coredns and no Deployment traefik',
      `workloads in kube-system: ${inSystem.map(({ metadata }) => metadata.name).join(', ') || 'none'}`,
    ],
    remedy: restart,
  });
}

function helmCharts({ seen, nodes }: PlatformFacts): Finding[] {
  const isK3s = nodes.some((node) => textAt(node, 'status', 'nodeInfo', 'kubeletVersion').includes('k3s'));
  if (!isK3s || seen.groups.has('helm.cattle.io')) return [];
  return [
    finding('helmchart-crd-missing', {
      subject: 'CustomResourceDefinition helmcharts.helm.cattle.io',
      cause: 'k3s’ HelmChart kind is gone, so k3s cannot bring back Traefik',
      evidence: ['the nodes run k3s, and the kind is not served'],
      remedy: restart,
    }),
  ];
}

function down(
  code: 'coredns-down' | 'traefik-down',
  workload: KubeObject | undefined,
  subject: string,
  effect: string,
): Finding[] {
  const state = workload === undefined ? undefined : rolloutState(workload);
  const available = numberAt(workload, 'status', 'availableReplicas') ?? 0;
  if (workload !== undefined && available > 0) return [];
  const scaled = at(workload, 'spec', 'replicas') === 0;
  return [
    finding(code, {
      subject,
      cause: `${workload === undefined ? 'it is not there' : scaled ? 'it is scaled to 0' : 'no pod of it is available'}: ${effect}`,
      evidence: [state?.why || (scaled ? 'spec.replicas is 0' : 'not found')],
      remedy:
        workload === undefined
          ? restart
          : scaled
            ? `\`kubectl scale -n ${workload.metadata.namespace} deploy/${workload.metadata.name} --replicas=1\``
            : `\`kubectl describe pod -n ${workload.metadata.namespace}\`; if its pods do not come back: ${restart}`,
    }),
  ];
}

function loadBalancer({ services, names }: PlatformFacts, balancer: KubeObject | undefined): Finding[] {
  const service = services.find(
    ({ metadata, spec }) => metadata.name === 'traefik' && textAt(spec, 'type') === 'LoadBalancer',
  );
  if (service?.metadata.namespace !== 'kube-system' || balancer !== undefined) return [];
  // Where ServiceLB is switched off, another load balancer takes its place and gives the Service its addresses.
  const addresses = at(service, 'status', 'loadBalancer', 'ingress');
  const hasAddress = Array.isArray(addresses) && addresses.length > 0;
  // Its last addresses stay in the Service when nothing serves them any more.
  const isClosed = names.some(({ http }) => http !== undefined && 'error' in http);
  return [
    finding('svclb-missing', {
      severity: hasAddress && !isClosed ? 'warning' : 'error',
      subject: 'DaemonSet kube-system/svclb-traefik',
      cause: 'k3s’ load balancer for Traefik is gone, so no node passes port 80 and 443 on',
      evidence: ['Service kube-system/traefik is of type LoadBalancer, and no DaemonSet svclb-traefik-… serves it'],
      remedy: restart,
      confidence: 'likely',
    }),
  ];
}

function classes({ ingressClasses, storageClasses, unseen }: PlatformFacts): Finding[] {
  const names = ingressClasses.map(({ metadata }) => metadata.name);
  const found: Finding[] = [];
  if (!unseen.includes('ingressclasses') && !names.includes('traefik')) {
    found.push(
      finding('ingress-class-missing', {
        subject: 'IngressClass traefik',
        cause: 'the platform’s Ingresses and the ACME solver name the class traefik, and it is not there',
        evidence: [`classes: ${names.join(', ') || 'none'}`],
        remedy: restart,
      }),
    );
  }
  const isDefault = ({ metadata }: KubeObject): boolean =>
    metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
  if (!unseen.includes('storageclasses') && !storageClasses.some(isDefault)) {
    found.push(
      finding('storage-class-missing', {
        subject: 'StorageClass',
        cause: 'no StorageClass is the default one, so the volumes of registry and databases stay Pending',
        evidence: [`classes: ${storageClasses.map(({ metadata }) => metadata.name).join(', ') || 'none'}`],
        remedy:
          'k3s brings local-path: restart it, or mark one: `kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true`',
      }),
    );
  }
  return found;
}
