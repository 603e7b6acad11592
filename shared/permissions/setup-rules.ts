import { kinds } from '../cluster/objects.js';
import { platformConfig, platformNamespaces } from '../platform/resources.js';
import { lookRules, restoreRules } from './backup-rules.js';
import type { PermissionRule, Verb } from './rule.js';

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
    on: kinds.secret,
    verbs: ['get'],
    optional: true,
    because: 'certificates and pull passwords, compared by serial number and digest; found by reference',
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

/** Of setup itself, besides its check and its restore. */
const setupRules: readonly PermissionRule[] = [
  {
    on: kinds.configMap,
    verbs: ['create', 'get', 'delete'],
    namespace: system,
    because: 'mcprt-setup: that a first install was begun and not finished',
  },
  ...[kinds.deployment, kinds.statefulSet, kinds.daemonSet].map(
    (on): PermissionRule => ({
      on,
      verbs: ['list', 'watch'],
      because: 'waiting for the platform’s workloads, in namespaces that the installer makes',
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

const releaseUnseen = 'only with `release-namespace`';

/** With `release-namespace`. */
const releaseRules: readonly PermissionRule[] = [
  { on: kinds.namespace, verbs: ['get', 'watch'], because: releaseUnseen },
  { on: kinds.namespace, subresource: 'finalize', verbs: ['update'], because: releaseUnseen },
];

const whole: readonly Verb[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
const traefik = (plural: string): PermissionRule['on'] => ({ group: 'traefik.io', plural });
const installers = 'the platform’s installer and cert-manager’s manifest make and update these';

/** What programs of others do with setup's credentials: as kubectl does it, by any verb. */
const installerRules: readonly PermissionRule[] = [
  ...[
    kinds.namespace,
    kinds.secret,
    kinds.configMap,
    kinds.service,
    kinds.serviceAccount,
    kinds.pod,
    kinds.persistentVolumeClaim,
    kinds.resourceQuota,
    { group: '', plural: 'limitranges' },
    kinds.deployment,
    kinds.statefulSet,
    kinds.daemonSet,
    kinds.job,
    kinds.ingress,
    kinds.ingressClass,
    kinds.networkPolicy,
    { group: 'policy', plural: 'poddisruptionbudgets' },
    kinds.crd,
    kinds.mutatingWebhookConfiguration,
    kinds.validatingWebhookConfiguration,
    kinds.certificate,
    kinds.issuer,
    kinds.clusterIssuer,
    traefik('serverstransports'),
    traefik('middlewares'),
    { group: 'helm.cattle.io', plural: 'helmchartconfigs' },
  ].map((on): PermissionRule => ({ on, verbs: whole, because: installers })),
  ...[kinds.role, kinds.clusterRole].map(
    (on): PermissionRule => ({
      on,
      verbs: [...whole, 'escalate', 'bind'],
      because: 'roles that grant what these credentials do not have themselves: in effect an administrator',
    }),
  ),
  ...[kinds.roleBinding, kinds.clusterRoleBinding].map(
    (on): PermissionRule => ({ on, verbs: whole, because: installers }),
  ),
];

export const installRules: readonly PermissionRule[] = [
  ...checkRules.map(({ optional: _, ...rule }) => rule),
  ...restoreRules.map(({ ifPresent: _, namespace, ...rule }) => ({
    ...rule,
    ...(namespace === undefined || namespace === 'cert-manager' ? {} : { namespace }),
  })),
  ...setupRules,
  ...releaseRules,
  ...installerRules,
];
