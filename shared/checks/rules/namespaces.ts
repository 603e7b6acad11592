import { conditionOf, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import { platformNamespaces } from '../../platform/resources.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

/** Namespaces on their way out, what holds them, and admission that outlived its service (runbook: stuck namespaces). */
export function checkNamespaces(facts: PlatformFacts): Finding[] {
  const leaving = facts.seen.namespaces.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  return [
    ...deadApis(facts),
    ...leaving.map((namespace) => terminating(namespace, facts)),
    ...orphanedAdmission(facts),
  ];
}

/** An aggregated API that does not answer keeps every namespace from being deleted. */
function deadApis({ apiServices }: PlatformFacts): Finding[] {
  return apiServices
    .filter((service) => conditionOf(service, 'Available')?.status === 'False')
    .map(
      (service): Finding =>
        finding('apiservice-unavailable', {
          severity: 'warning',
          subject: `APIService ${service.metadata.name}`,
          cause:
            'an API that a service in the cluster should serve does not answer: no namespace can be deleted meanwhile',
          evidence: [conditionOf(service, 'Available')?.message ?? ''],
          remedy: `bring its service back, or, if what it belonged to was removed: \`kubectl delete apiservice ${service.metadata.name}\``,
        }),
    );
}

function terminating(namespace: KubeObject, { holders, seen }: PlatformFacts): Finding {
  const { name } = namespace.metadata;
  const held = holders.get(name) ?? [];
  const minutes = Math.floor((seen.now.getTime() - Date.parse(namespace.metadata.deletionTimestamp ?? '')) / 60_000);
  return finding(held.length > 0 ? 'namespace-held' : 'namespace-terminating', {
    subject: `Namespace ${name}`,
    cause:
      held.length > 0
        ? 'the namespace is being deleted and does not go, because of what the evidence names'
        : 'the namespace is being deleted, and what is written into it would be deleted with it',
    evidence: held.length > 0 ? held : [`being deleted for ${minutes} min`],
    remedy:
      held.length > 0
        ? 'let what owns these finalizers finish (bring its controller back); only when it never will, remove that one finalizer: `kubectl patch KIND NAME -n NAMESPACE --type=merge -p \'{"metadata":{"finalizers":null}}\'`'
        : `wait until it is gone: \`kubectl wait --for=delete namespace/${name} --timeout=10m\``,
  });
}

/** The platform's webhooks survive a wipe and then refuse every object of its kinds. */
function orphanedAdmission({ webhooks, services, seen }: PlatformFacts): Finding[] {
  const orphans = webhooks.flatMap((configuration) => {
    const hooks = Array.isArray(configuration.webhooks) ? configuration.webhooks : [];
    const target = hooks.find(
      (hook) => textAt(hook, 'clientConfig', 'service', 'namespace') === platformNamespaces.runtime,
    );
    const service = textAt(target, 'clientConfig', 'service', 'name');
    const isThere = services.some(
      ({ metadata }) => metadata.namespace === platformNamespaces.runtime && metadata.name === service,
    );
    return target === undefined || isThere ? [] : [{ configuration, service }];
  });
  if (orphans.length === 0) return [];
  const isGone = !seen.namespaces.some(({ metadata }) => metadata.name === platformNamespaces.runtime);
  return [
    {
      code: 'admission-webhook-orphaned',
      severity: 'warning',
      subject: orphans.map(({ configuration }) => `${configuration.kind} ${configuration.metadata.name}`).join(', '),
      cause:
        'it asks a service of the platform that is gone, so every MCPServer, grant and session is refused until setup has run',
      evidence: orphans.map(
        ({ configuration, service }) =>
          `${configuration.metadata.name} calls Service ${platformNamespaces.runtime}/${service}, which ${isGone ? 'went with its namespace' : 'is not there'}`,
      ),
      remedy: `setup makes the service again; until then: ${orphans
        .map(
          ({ configuration }) =>
            `\`kubectl delete ${configuration.kind.toLowerCase()} ${configuration.metadata.name}\``,
        )
        .join(', ')}`,
      confidence: 'certain',
    },
  ];
}
