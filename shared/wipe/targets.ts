import { type Kind, type KubeObject, kinds } from '../cluster/objects.js';
import { isRecord } from '../json.js';
import {
  isClustersOwn,
  isManaged,
  isPlatformNamespace,
  platformClusterRoles,
  platformWebhooks,
} from '../platform/resources.js';
import type { WipeObservation } from './observe.js';

/** `platform`: what is MCP Runtime's. `all-apps`: every namespace but the system's, as the runbook has it. */
export const scopes = ['platform', 'all-apps'] as const;
export type Scope = (typeof scopes)[number];

/** One object that is to go. The UID makes sure that it is this one, and none of the same name made since. */
export interface WipeTarget {
  kind: Kind;
  name: string;
  namespace?: string;
  uid: string;
  because: string;
  /** Whether it is on its way out already: it is waited for, and not deleted again. */
  leaving: boolean;
  /** Whether it belongs to somebody else than MCP Runtime. */
  foreign: boolean;
}

/** What stays, and why. */
export interface Kept {
  subject: string;
  why: string;
}

export interface WipePlan {
  /** In the order of deletion. */
  targets: WipeTarget[];
  kept: Kept[];
  /** What the user should know before it happens. */
  warnings: string[];
}

export interface WipeChoice {
  scope: Scope;
  /** Further namespaces by name. */
  also: readonly string[];
}

/** cert-manager's namespace goes only when it is named: without it nothing renews, and restores need its CRDs' owner. */
const certManager = 'cert-manager';

/** Decides what goes and what stays. Pure. */
export function planWipe(seen: WipeObservation, choice: WipeChoice): WipePlan {
  const namespaces = seen.namespaces.flatMap((one) => namespaceTarget(one, choice) ?? []);
  const going = new Set(namespaces.map(({ name }) => name));
  const gone = (namespace: string): boolean => going.has(namespace) || isPlatformNamespace(namespace);
  const webhooks = seen.webhooks.flatMap((one) => webhookTarget(one) ?? []);
  const bindings = seen.clusterRoleBindings.flatMap((one) => bindingTarget(one, gone) ?? []);
  const roles = seen.clusterRoles.flatMap((one) => roleTarget(one, seen.clusterRoleBindings, bindings) ?? []);
  const strays = seen.platformObjects
    .filter(({ metadata }) => !going.has(metadata.namespace ?? ''))
    .map((one) => targetOf(one, 'an object of MCP Runtime in a namespace that stays'));
  const { also } = choice;
  const foreign = namespaces.filter((one) => one.foreign).map(({ name }) => name);
  return {
    // Webhooks first: once their Service is gone they refuse what they match. Roles before bindings: a binding tells
    // whose its role is. cert-manager last: its controller takes the finalizers off what the other namespaces hold.
    targets: [
      ...webhooks,
      ...roles,
      ...bindings,
      ...strays,
      ...namespaces.filter(({ name }) => name !== certManager),
      ...namespaces.filter(({ name }) => name === certManager),
    ],
    kept: [...keptNamespaces(seen, going), ...keptOfCluster(seen), ...keptVolumes(seen, going)],
    warnings: [
      ...(foreign.length === 0
        ? []
        : [
            `${count(foreign.length, 'namespace')} not of MCP Runtime ${foreign.length === 1 ? 'goes' : 'go'} too: ${foreign.join(', ')}`,
          ]),
      ...also
        .filter((name) => !seen.namespaces.some(({ metadata }) => metadata.name === name))
        .map((name) => `\`also\` names ${name}, and there is no such namespace`),
      ...orphaned(seen, webhooks, going),
      ...dangling(seen, roles, bindings),
    ],
  };
}

/** Whether it must wait until all other namespaces are gone. */
export function goesLast({ kind, name }: WipeTarget): boolean {
  return kind === kinds.namespace && name === certManager;
}

/** How a target is called in logs: `Namespace registry`. */
export function subjectOf({ kind, name, namespace }: Pick<WipeTarget, 'kind' | 'name' | 'namespace'>): string {
  return `${kind.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** `1 namespace`, `2 namespaces`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

function targetOf(object: KubeObject, because: string, foreign = false): WipeTarget {
  const { name, namespace, uid, deletionTimestamp } = object.metadata;
  return {
    kind: kindOf(object),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid: uid ?? '',
    because,
    leaving: deletionTimestamp !== undefined,
    foreign,
  };
}

function kindOf(object: KubeObject): Kind {
  const found = Object.values(kinds).find((one) => one.kind === object.kind);
  if (found === undefined) throw new Error(`no wipe deletes a ${object.kind}`);
  return found;
}

function namespaceTarget(namespace: KubeObject, { scope, also }: WipeChoice): WipeTarget | undefined {
  const { name } = namespace.metadata;
  if (isClustersOwn(name)) return undefined;
  if (also.includes(name)) return targetOf(namespace, 'named in `also`', !isOurs(namespace));
  if (name === certManager) return undefined;
  if (isPlatformNamespace(name)) return targetOf(namespace, 'a namespace of MCP Runtime by its name');
  if (isManaged(namespace.metadata)) return targetOf(namespace, 'labelled as managed by MCP Runtime');
  return scope === 'all-apps' ? targetOf(namespace, 'scope all-apps', true) : undefined;
}

function isOurs({ metadata }: KubeObject): boolean {
  return isPlatformNamespace(metadata.name) || isManaged(metadata);
}

function webhookTarget(webhook: KubeObject): WipeTarget | undefined {
  const { name } = webhook.metadata;
  if (includes(platformWebhooks.own, name)) return targetOf(webhook, 'the operator’s webhook configuration');
  const ours = includes(platformWebhooks.shared, name) && everyOf(calledNamespaces(webhook), isPlatformNamespace);
  return ours ? targetOf(webhook, 'a webhook configuration that calls the operator') : undefined;
}

function bindingTarget(binding: KubeObject, gone: (namespace: string) => boolean): WipeTarget | undefined {
  const { name } = binding.metadata;
  if (includes(platformClusterRoles.own, name)) return targetOf(binding, 'made by MCP Runtime’s installer');
  if (isManaged(binding.metadata)) return targetOf(binding, 'labelled as managed by MCP Runtime');
  const ours = includes(platformClusterRoles.shared, name) && everyOf(subjectNamespaces(binding), gone);
  return ours ? targetOf(binding, 'it binds only accounts of MCP Runtime') : undefined;
}

/** A role of a name that others use as well goes only when nothing that stays is bound to it. */
function roleTarget(
  role: KubeObject,
  all: readonly KubeObject[],
  going: readonly WipeTarget[],
): WipeTarget | undefined {
  const { name } = role.metadata;
  if (includes(platformClusterRoles.own, name)) return targetOf(role, 'made by MCP Runtime’s installer');
  if (isManaged(role.metadata)) return targetOf(role, 'labelled as managed by MCP Runtime');
  if (!includes(platformClusterRoles.shared, name)) return undefined;
  const bound = all.filter(({ roleRef }) => isRecord(roleRef) && roleRef.name === name);
  const ours = everyOf(bound, ({ metadata }) => going.some(({ uid }) => uid === metadata.uid));
  return ours ? targetOf(role, 'bound only to accounts of MCP Runtime') : undefined;
}

function keptNamespaces(seen: WipeObservation, going: ReadonlySet<string>): Kept[] {
  return seen.namespaces
    .filter(({ metadata }) => !going.has(metadata.name))
    .map(({ metadata: { name } }) => ({
      subject: `Namespace ${name}`,
      why: isClustersOwn(name)
        ? 'it is the cluster’s own'
        : name === certManager
          ? 'it goes only when it is named in `also`'
          : 'it is not MCP Runtime’s',
    }));
}

function keptOfCluster(seen: WipeObservation): Kept[] {
  const issuers = seen.issuers.filter(({ kind }) => kind === 'ClusterIssuer');
  return [
    ...issuers.map(({ metadata, spec }) => ({
      subject: `ClusterIssuer ${metadata.name}`,
      why: isRecord(spec.acme) ? 'setup adopts it; a new one could register a new account' : 'setup adopts it',
    })),
    ...(seen.groups.has('mcpruntime.org')
      ? [{ subject: 'CustomResourceDefinitions of mcpruntime.org', why: 'setup applies them again' }]
      : []),
    { subject: 'what setup changed on Traefik in kube-system', why: 'kube-system stays as it is' },
  ];
}

function keptVolumes(seen: WipeObservation, going: ReadonlySet<string>): Kept[] {
  return seen.volumes.flatMap(({ metadata, spec }) => {
    if (!isRecord(spec) || spec.persistentVolumeReclaimPolicy !== 'Retain' || !isRecord(spec.claimRef)) return [];
    const { namespace, name } = spec.claimRef;
    return going.has(String(namespace))
      ? [{ subject: `PersistentVolume ${metadata.name}`, why: `it retains the data of claim ${namespace}/${name}` }]
      : [];
  });
}

/** What stays and calls a Service that goes: it then refuses requests that have nothing to do with MCP Runtime. */
function orphaned(seen: WipeObservation, targets: readonly WipeTarget[], going: ReadonlySet<string>): string[] {
  const isGoing = (uid: string | undefined): boolean => targets.some((target) => target.uid === uid);
  const calls = [
    ...seen.webhooks.map((one) => ({ one, called: calledNamespaces(one) })),
    ...seen.apiServices.map((one) => ({ one, called: serviceNamespace(one.spec) })),
  ];
  return calls
    .filter(({ one, called }) => !isGoing(one.metadata.uid) && called.some((namespace) => going.has(namespace)))
    .map(
      ({ one, called }) =>
        `${one.kind} ${one.metadata.name} stays and calls namespace ${called.find((namespace) => going.has(namespace))}, which goes: what it matches will fail until it is deleted`,
    );
}

/** Bindings that stay and name a role that goes: who makes a role of that name again gives them its rights. */
function dangling(seen: WipeObservation, roles: readonly WipeTarget[], bindings: readonly WipeTarget[]): string[] {
  const gone = new Set(roles.map(({ name }) => name));
  return seen.clusterRoleBindings.flatMap(({ metadata, roleRef }) => {
    const name = isRecord(roleRef) ? String(roleRef.name) : '';
    if (!gone.has(name) || bindings.some(({ uid }) => uid === metadata.uid)) return [];
    return [`ClusterRoleBinding ${metadata.name} stays and binds ClusterRole ${name}, which goes`];
  });
}

/** Namespaces of the Services that a webhook configuration calls. */
function calledNamespaces({ webhooks }: KubeObject): string[] {
  return (Array.isArray(webhooks) ? webhooks.filter(isRecord) : []).flatMap(({ clientConfig }) =>
    serviceNamespace(clientConfig),
  );
}

function serviceNamespace(holder: unknown): string[] {
  const service = isRecord(holder) ? holder.service : undefined;
  return isRecord(service) && typeof service.namespace === 'string' ? [service.namespace] : [];
}

/** Namespaces of the accounts that a binding names; a user or group counts as one that stays. */
function subjectNamespaces({ subjects }: KubeObject): string[] {
  return (Array.isArray(subjects) ? subjects.filter(isRecord) : []).map(({ kind, namespace }) =>
    kind === 'ServiceAccount' ? String(namespace) : '',
  );
}

/** Whether there are some, and all are so: of nothing, nothing can be told. */
function everyOf<T>(items: readonly T[], holds: (item: T) => boolean): boolean {
  return items.length > 0 && items.every(holds);
}

function includes(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
