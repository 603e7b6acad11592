import { kinds } from '../cluster/objects.js';
import { platformConfig, platformNamespaces } from '../platform/resources.js';
import { knownSecretsRule, lookRules, planRules, restoreRules } from './backup-rules.js';
import { installerRules } from './installer-asks.js';
import { type PermissionRule, readsOf } from './rule.js';

const { registry } = platformNamespaces;
const system = 'kube-system';

/** What a check needs to say anything of use; the rest of what it reads is left out where it may not be read. */
export const checkRules: readonly PermissionRule[] = [
  { on: kinds.node, verbs: ['list'], because: 'whether nodes are ready, and of which processor' },
  { on: kinds.namespace, verbs: ['list'], because: 'which namespaces are there, and which are being deleted' },
  { on: kinds.ingressClass, verbs: ['list'], because: 'whether Traefik’s class is there' },
  { on: kinds.storageClass, verbs: ['list'], because: 'whether volumes can be made' },
  ...lookRules,
  ...[kinds.order, kinds.challenge].map(
    (on): PermissionRule => ({ on, verbs: ['list'], because: 'why a certificate is not issued' }),
  ),
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
  ].map(
    (on): PermissionRule => ({
      on,
      verbs: ['list'],
      optional: true,
      because: 'rules of the diagnosis; the namespaces come and go with the platform',
    }),
  ),
  {
    ...knownSecretsRule,
    optional: true,
    because: 'certificates and pull passwords, compared by serial number and digest',
  },
  {
    on: kinds.configMap,
    verbs: ['get'],
    names: [platformConfig.name],
    optional: true,
    because: 'the platform’s configuration',
  },
  {
    on: kinds.admissionPolicy,
    verbs: ['get'],
    names: ['mcprt-brake'],
    optional: true,
    because: 'whether a restore or wipe holds the brake',
  },
  {
    on: kinds.certificate,
    verbs: ['create'],
    namespace: 'default',
    optional: true,
    because: 'a dry run: whether cert-manager’s admission answers',
  },
];

/** What an installation must read before it can tell of anything else that is in its way. */
export const beginRules: readonly PermissionRule[] = [
  ...lookRules,
  {
    on: kinds.admissionPolicy,
    verbs: ['get'],
    names: ['mcprt-brake'],
    because: 'whether a restore or wipe is under way',
  },
  {
    on: kinds.configMap,
    verbs: ['get'],
    namespace: system,
    names: ['mcprt-setup'],
    because: 'that a first install was begun and not finished',
  },
];

/** Of setup itself, besides its check and its restore. */
const setupRules: readonly PermissionRule[] = [
  {
    on: kinds.configMap,
    verbs: ['create'],
    namespace: system,
    because: 'mcprt-install, which keeps others out; mcprt-setup of a first install',
  },
  {
    on: kinds.configMap,
    verbs: ['get', 'patch', 'delete'],
    namespace: system,
    names: ['mcprt-install'],
    because: 'what keeps others out, taken over from a wipe and taken away',
  },
  {
    on: kinds.configMap,
    verbs: ['delete'],
    namespace: system,
    names: ['mcprt-setup'],
    because: 'a first install that has finished',
  },
  ...[kinds.deployment, kinds.statefulSet, kinds.daemonSet].map(
    (on): PermissionRule => ({
      on,
      verbs: ['list', 'watch'],
      because: 'waiting for the platform’s workloads, in namespaces that the installer makes',
      ...(on === kinds.deployment ? {} : { unseen: { watch: 'one that is not rolled out at the first look' } }),
    }),
  ),
  ...[kinds.certificate, kinds.clusterIssuer].map(
    (on): PermissionRule => ({
      on,
      verbs: ['watch'],
      because: 'waiting for them to be Ready',
      ...(on === kinds.clusterIssuer ? { unseen: { watch: 'an issuer that is not Ready at the first look' } } : {}),
    }),
  ),
  {
    on: kinds.ingress,
    verbs: ['get', 'patch'],
    names: [registry],
    because: 'putting the registry’s password back behind the installer; also in the post step',
  },
  {
    on: kinds.pod,
    verbs: ['list', 'delete'],
    because: 'pods that the installer pushes with, also in the post step: in namespace registry, which it makes',
  },
];

const releaseOnly = 'only with `release-namespace`';

/** With `release-namespace`. */
const releaseRules: readonly PermissionRule[] = [
  {
    on: kinds.namespace,
    verbs: ['get', 'watch'],
    because: releaseOnly,
    unseen: { get: releaseOnly, watch: releaseOnly },
  },
  {
    on: kinds.namespace,
    subresource: 'finalize',
    verbs: ['update'],
    because: releaseOnly,
    unseen: { update: releaseOnly },
  },
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
