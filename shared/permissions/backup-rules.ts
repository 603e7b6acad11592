import { kinds } from '../cluster/objects.js';
import { platformConfig, platformSecretNames, platformWebhooks, pullSecretName } from '../platform/resources.js';
import type { PermissionRule } from './rule.js';
import { rule } from './rule.js';

const system = 'kube-system';
/** Where its release puts it. */
export const certManager = 'cert-manager';
const brake = ['mcprt-brake'];
/** The lock is a ConfigMap there, and cert-manager may have to be stopped. */
const oldClusters = 'a cluster before Kubernetes 1.30';

/** Whether a restore or wipe is under way. */
export const lockRules: readonly PermissionRule[] = [
  rule(kinds.admissionPolicy, ['get'], 'whether a restore or wipe is under way; the kind has no namespace', {
    names: brake,
  }),
  rule(kinds.configMap, ['get'], 'the same before Kubernetes 1.30, which has no such policies', {
    namespace: system,
    names: brake,
  }),
];
const wiped = 'a wipe would take a Role there with it';

/** What every look at a cluster reads first. */
export const observeRules: readonly PermissionRule[] = [
  rule(kinds.namespace, ['get'], 'its UID is the cluster’s fingerprint', { names: [system] }),
  rule(kinds.namespace, ['list'], 'which namespaces are there, and which are being deleted'),
  ...[kinds.certificate, kinds.certificateRequest, kinds.issuer, kinds.clusterIssuer, kinds.ingress].map((on) =>
    rule(on, ['list'], 'the inventory and the forecast follow these'),
  ),
  rule(kinds.gateway, ['list'], 'the same, where cert-manager makes Certificates for Gateways', {
    optional: true,
    unseen: { list: 'a cluster with the Gateway API' },
  }),
  rule(kinds.deployment, ['list'], 'cert-manager is found by its labels or its image, wherever it is; the layout'),
  rule(kinds.pod, ['list'], 'cert-manager is found by its pods where no Deployment of it acts', {
    optional: true,
    unseen: { list: 'a cluster whose cert-manager is stopped, or no Deployment' },
  }),
  rule(kinds.configMap, ['get'], 'what the cluster remembers of its backups', {
    namespace: system,
    names: ['mcprt-anchor'],
  }),
  rule(
    kinds.configMap,
    ['get'],
    'cert-manager’s configuration file, where its chart made one: where Secrets of ClusterIssuers are, which Ingresses ask',
    {
      namespace: certManager,
      names: [certManager],
      optional: true,
      ifPresent: true,
      unseen: { get: 'a controller that is configured by a file' },
    },
  ),
];

/** By name, and not by namespace: a wipe takes a namespace with its Roles, and the backup before it still has to be compared. */
export const knownSecretsRule: PermissionRule = rule(
  kinds.secret,
  ['get'],
  'the Secrets of certificates, of issuers and of the platform',
  { names: platformSecretNames, extensible: true, unseen: { get: 'some of these names only some installations have' } },
);

const secretRules: readonly PermissionRule[] = [
  knownSecretsRule,
  rule(kinds.secret, ['list'], 'the pull Secrets of many tenants in one list', {
    names: [pullSecretName],
    optional: true,
    unseen: { list: 'from eight namespaces with such a Secret on; fewer are read one by one' },
  }),
  rule(kinds.configMap, ['get'], `the platform’s configuration in mcp-sentinel: ${wiped}`, {
    names: [platformConfig.name],
  }),
];

export const verifyRules: readonly PermissionRule[] = observeRules;

export const planRules: readonly PermissionRule[] = [...observeRules, ...secretRules];

const anchorRules: readonly PermissionRule[] = [
  rule(kinds.configMap, ['create'], 'the first backup makes mcprt-anchor', { namespace: system }),
  rule(kinds.configMap, ['patch'], 'each backup moves it on', { namespace: system, names: ['mcprt-anchor'] }),
];

export const backupRules: readonly PermissionRule[] = [...planRules, ...anchorRules];

/** A restore into a cluster that knows no backup yet; those of before it did go on. */
const rememberingRules: readonly PermissionRule[] = anchorRules.map((one) => ({
  ...one,
  because: 'a cluster that knows no backup yet remembers the one that is restored',
  optional: true,
  unseen: Object.fromEntries(one.verbs.map((verb) => [verb, 'a cluster that knows no backup yet'])),
}));

const brakeRules: readonly PermissionRule[] = [
  rule(
    kinds.admissionPolicy,
    ['create'],
    'the lock between restores and wipes, which keeps cert-manager from ordering; the kind has no namespace',
  ),
  rule(
    kinds.admissionPolicy,
    ['get', 'patch', 'delete'],
    'whose the lock is; taking it over from a run that was killed; letting it go',
    { names: brake, unseen: { patch: 'taking over a lock that a killed run has left' } },
  ),
  rule(kinds.admissionPolicyBinding, ['create', 'patch', 'delete'], 'what puts the policy into force', {
    names: brake,
  }),
  rule(kinds.configMap, ['get'], 'whether a rollout or a setup is under way; the lock before Kubernetes 1.30', {
    namespace: system,
    names: ['mcprt-rollout', 'mcprt-install', ...brake],
  }),
  rule(kinds.configMap, ['create'], 'the lock before Kubernetes 1.30, which has no such policies', {
    namespace: system,
    unseen: { create: oldClusters },
  }),
  rule(kinds.configMap, ['patch', 'delete'], 'taking it over from a run that was killed; letting it go', {
    namespace: system,
    names: brake,
    unseen: { patch: oldClusters, delete: oldClusters },
  }),
];

/** Of the canaries that show what cert-manager has seen, and what it is denied. @param namespace cert-manager's */
export function barrierRules(namespace: string): PermissionRule[] {
  return [
    rule(
      kinds.certificate,
      ['create', 'watch', 'delete'],
      'the canary that shows that cert-manager has seen the restored Secrets',
      { namespace },
    ),
    rule(kinds.secret, ['list', 'delete'], 'the canary’s Secret, also one that a killed run has left', { namespace }),
    rule(kinds.event, ['list'], 'what cert-manager was denied, where there are several API servers', { namespace }),
  ];
}

export const restoreRules: readonly PermissionRule[] = [
  ...planRules,
  // Names of the backup, which nobody knows before it is read; whoever may patch them all could read them anyway.
  rule(kinds.secret, ['get'], 'what is there of what the backup holds, and whether it is of any use'),
  ...brakeRules,
  ...rememberingRules,
  rule(kinds.order, ['create'], 'dry runs only: they prove that new orders are denied', {
    namespace: 'default',
    unseen: { create: 'where somebody asks for a certificate before its Secret is there' },
  }),
  rule(kinds.endpointSlice, ['get'], 'how many API servers there are', {
    namespace: 'default',
    names: ['kubernetes'],
  }),
  rule(kinds.order, ['list', 'watch'], 'that none was made meanwhile'),
  rule(kinds.namespace, ['create'], 'namespaces of the backup that are not there'),
  rule(kinds.secret, ['create', 'patch'], 'what is restored, into namespaces that need not be there yet', {
    unseen: { patch: 'a Secret that is there and of no use is replaced' },
  }),
  rule(kinds.configMap, ['create'], 'the platform’s configuration, into a namespace that need not be there yet'),
  rule(kinds.configMap, ['patch'], 'keys that a present configuration lacks', {
    names: [platformConfig.name],
    unseen: { patch: 'a configuration that is there and lacks keys' },
  }),
  rule(kinds.certificateRequest, ['delete'], 'requests that would still order for what is restored', {
    unseen: { delete: 'an issuance that was under way, by how far it was' },
  }),
  rule(kinds.certificate, ['get'], 'an issuance that is called off', {
    unseen: { get: 'an issuance that was under way' },
  }),
  rule(kinds.certificate, ['patch'], 'an issuance that is called off', {
    subresource: 'status',
    unseen: { patch: 'an issuance that was under way' },
  }),
  rule(kinds.deployment, ['patch'], 'stopping cert-manager and starting it again, where that was allowed', {
    namespace: certManager,
    names: [certManager],
    optional: true,
    ifPresent: true,
    unseen: { patch: oldClusters },
  }),
  ...[kinds.pod, kinds.deployment].map((on) =>
    rule(on, ['list', 'watch'], 'that it has stopped, and that it runs again', {
      namespace: certManager,
      optional: true,
      ifPresent: true,
      unseen: { list: oldClusters, watch: oldClusters },
    }),
  ),
  ...barrierRules(certManager).map((rule) => ({ ...rule, ifPresent: true as const })),
];

/** What in practice holds a namespace that does not go; kinds of others are told as the cluster tells them. */
const holders = [
  kinds.configMap,
  kinds.pod,
  kinds.service,
  kinds.persistentVolumeClaim,
  kinds.order,
  kinds.challenge,
] as const;

export const wipeRules: readonly PermissionRule[] = [
  ...backupRules,
  ...brakeRules,
  ...[kinds.mcpServer, kinds.mcpAccessGrant, kinds.mcpAgentSession].map((on) =>
    rule(on, ['list', 'delete'], 'the platform’s own objects, also in namespaces that stay', {
      unseen: { delete: 'objects in namespaces that stay' },
    }),
  ),
  ...[kinds.mutatingWebhookConfiguration, kinds.validatingWebhookConfiguration].flatMap((on): PermissionRule[] => [
    rule(on, ['list'], 'what would call a Service that goes'),
    rule(on, ['delete'], 'the operator’s', {
      names: [...platformWebhooks.own, ...platformWebhooks.shared].filter((name) =>
        name.includes(on === kinds.mutatingWebhookConfiguration ? 'mutating' : 'validating'),
      ),
      unseen: { delete: 'the operator’s versions have one pair of these names or the other' },
    }),
  ]),
  ...[kinds.clusterRole, kinds.clusterRoleBinding].map((on) =>
    rule(on, ['list', 'delete'], 'the platform’s, by their names or by its label on any name'),
  ),
  rule(kinds.apiService, ['list'], 'what would call a Service that goes'),
  rule(kinds.persistentVolume, ['list'], 'volumes that outlive their claims are named'),
  rule(kinds.namespace, ['watch', 'delete'], 'the wipe itself'),
  ...holders.map((on) =>
    rule(on, ['list'], 'objects that hold a namespace are named with their finalizers', {
      optional: true,
      ...(on === kinds.configMap ? {} : { unseen: { list: 'a namespace that is held by one of these' } }),
    }),
  ),
  rule(
    kinds.configMap,
    ['get', 'patch', 'delete'],
    'what a wipe writes down, so that the next run can continue after a kill',
    { namespace: system, names: ['mcprt-wipe'], unseen: { patch: 'a journal that an earlier wipe has left' } },
  ),
  rule(kinds.configMap, ['patch'], 'that an installation is due, until which no rollout may begin', {
    namespace: system,
    names: ['mcprt-install'],
  }),
];
