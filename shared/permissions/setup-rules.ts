import { kinds } from '../cluster/objects.js';
import { platformConfig, platformNamespaces } from '../platform/resources.js';
import { knownSecretsRule, lockRules, observeRules, planRules, restoreRules } from './backup-rules.js';
import { installerRules } from './installer-asks.js';
import { type PermissionRule, readsOf, rule } from './rule.js';

const { registry } = platformNamespaces;
const system = 'kube-system';

/** What a check needs to say anything of use; the rest of what it reads is left out where it may not be read. */
export const checkRules: readonly PermissionRule[] = [
  rule(kinds.node, ['list'], 'whether nodes are ready, and of which processor'),
  rule(kinds.namespace, ['list'], 'which namespaces are there, and which are being deleted'),
  rule(kinds.ingressClass, ['list'], 'whether Traefik’s class is there'),
  rule(kinds.storageClass, ['list'], 'whether volumes can be made'),
  ...observeRules,
  ...[kinds.order, kinds.challenge].map((on) => rule(on, ['list'], 'why a certificate is not issued')),
  ...[
    kinds.pod,
    kinds.service,
    kinds.event,
    kinds.persistentVolumeClaim,
    kinds.statefulSet,
    kinds.daemonSet,
    kinds.networkPolicy,
    kinds.apiService,
    kinds.validatingWebhookConfiguration,
    kinds.mutatingWebhookConfiguration,
  ].map((on) =>
    rule(on, ['list'], 'rules of the diagnosis; the namespaces come and go with the platform', { optional: true }),
  ),
  {
    ...knownSecretsRule,
    optional: true,
    because: 'certificates and pull passwords, compared by serial number and digest',
  },
  rule(kinds.configMap, ['get'], 'the platform’s configuration', { names: [platformConfig.name], optional: true }),
  ...lockRules.map((one) => ({ ...one, optional: true as const })),
  rule(kinds.certificate, ['create'], 'a dry run: whether cert-manager’s admission answers', {
    namespace: 'default',
    optional: true,
  }),
];

/** What an installation must read before it can tell of anything else that is in its way. */
export const beginRules: readonly PermissionRule[] = [
  ...observeRules,
  ...lockRules,
  rule(kinds.configMap, ['get'], 'that a first install was begun and not finished', {
    namespace: system,
    names: ['mcprt-setup'],
  }),
];

/** Of setup itself, besides its check and its restore. */
const setupRules: readonly PermissionRule[] = [
  rule(kinds.configMap, ['create'], 'mcprt-install, which keeps others out; mcprt-setup of a first install', {
    namespace: system,
  }),
  rule(kinds.configMap, ['get', 'patch', 'delete'], 'what keeps others out, taken over from a wipe and taken away', {
    namespace: system,
    names: ['mcprt-install'],
  }),
  rule(kinds.configMap, ['delete'], 'a first install that has finished', { namespace: system, names: ['mcprt-setup'] }),
  ...[kinds.deployment, kinds.statefulSet, kinds.daemonSet].map((on) =>
    rule(on, ['list', 'watch'], 'waiting for the platform’s workloads, in namespaces that the installer makes', {
      ...(on === kinds.deployment ? {} : { unseen: { watch: 'one that is not rolled out at the first look' } }),
    }),
  ),
  ...[kinds.certificate, kinds.clusterIssuer].map((on) =>
    rule(on, ['watch'], 'waiting for them to be Ready', {
      ...(on === kinds.clusterIssuer ? { unseen: { watch: 'an issuer that is not Ready at the first look' } } : {}),
    }),
  ),
  rule(
    kinds.ingress,
    ['get', 'patch'],
    'putting the registry’s password back behind the installer; also in the post step',
    { names: [registry] },
  ),
  rule(
    kinds.pod,
    ['list', 'delete'],
    'pods that the installer pushes with, also in the post step: in namespace registry, which it makes',
  ),
];

const releaseOnly = 'only with `release-namespace`';

/** With `release-namespace`. */
const releaseRules: readonly PermissionRule[] = [
  rule(kinds.namespace, ['get', 'watch'], releaseOnly, { unseen: { get: releaseOnly, watch: releaseOnly } }),
  rule(kinds.namespace, ['update'], releaseOnly, { subresource: 'finalize', unseen: { update: releaseOnly } }),
];

/**
 * The same without any Secret, any pod, whose specification may hold one, and the dry run of a Certificate, which RBAC cannot
 * tell from an order: for a pull request, whose author may be anybody with a branch.
 */
export const setupPullRequestRules: readonly PermissionRule[] = readsOf(checkRules).filter(
  ({ on }) => on !== kinds.secret && on !== kinds.pod,
);

/** What an installation would do is told by looking: nothing is changed, so that it may run before anybody approves. */
export const setupPlanRules: readonly PermissionRule[] = [...beginRules, ...planRules, ...checkRules];

export const installRules: readonly PermissionRule[] = [
  ...beginRules,
  ...checkRules.map(({ optional: _, ...rule }) => rule),
  ...restoreRules.map(({ ifPresent: _, namespace, ...rule }) => ({
    ...rule,
    ...(namespace === undefined || namespace === 'cert-manager' ? {} : { namespace }),
  })),
  ...setupRules,
  ...releaseRules,
  ...installerRules,
];
