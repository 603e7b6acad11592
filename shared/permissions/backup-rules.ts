import { kinds } from '../cluster/objects.js';
import { platformConfig, platformSecretNames, platformWebhooks, pullSecretName } from '../platform/resources.js';
import type { PermissionRule } from './rule.js';

const system = 'kube-system';
/** Where its release puts it. */
export const certManager = 'cert-manager';
const brake = ['mcprt-brake'];
const wiped = 'a wipe would take a Role there with it';

/** What every look at a cluster reads first. */
export const lookRules: readonly PermissionRule[] = [
  { on: kinds.namespace, verbs: ['get'], names: [system], because: 'its UID is the cluster’s fingerprint' },
  { on: kinds.namespace, verbs: ['list'], because: 'which namespaces are there, and which are being deleted' },
  ...[kinds.certificate, kinds.certificateRequest, kinds.issuer, kinds.clusterIssuer, kinds.ingress].map(
    (on): PermissionRule => ({ on, verbs: ['list'], because: 'the inventory and the forecast follow these' }),
  ),
  { on: kinds.deployment, verbs: ['list'], because: 'cert-manager is found by its labels, wherever it is; the layout' },
  {
    on: kinds.configMap,
    verbs: ['get'],
    namespace: system,
    names: ['mcprt-anchor'],
    because: 'what the cluster remembers of its backups',
  },
  {
    on: kinds.configMap,
    verbs: ['get'],
    namespace: certManager,
    names: [certManager],
    optional: true,
    ifPresent: true,
    because:
      'cert-manager’s configuration file, where its chart made one: where Secrets of ClusterIssuers are, which Ingresses ask',
    unseen: { get: 'a controller that is configured by a file' },
  },
];

/** By name, and not by namespace: a wipe takes a namespace with its Roles, and the backup before it still has to be compared. */
export const knownSecretsRule: PermissionRule = {
  on: kinds.secret,
  verbs: ['get'],
  names: platformSecretNames,
  extensible: true,
  because: 'the Secrets of certificates, of issuers and of the platform',
  unseen: { get: 'some of these names only some installations have' },
};

const secretRules: readonly PermissionRule[] = [
  knownSecretsRule,
  {
    on: kinds.secret,
    verbs: ['list'],
    names: [pullSecretName],
    optional: true,
    because: 'the pull Secrets of many tenants in one list',
    unseen: { list: 'from eight namespaces with such a Secret on; fewer are read one by one' },
  },
  {
    on: kinds.configMap,
    verbs: ['get'],
    names: [platformConfig.name],
    because: `the platform’s configuration in mcp-sentinel: ${wiped}`,
  },
];

export const verifyRules: readonly PermissionRule[] = lookRules;

export const planRules: readonly PermissionRule[] = [...lookRules, ...secretRules];

const anchorRules: readonly PermissionRule[] = [
  { on: kinds.configMap, verbs: ['create'], namespace: system, because: 'the first backup makes mcprt-anchor' },
  {
    on: kinds.configMap,
    verbs: ['patch'],
    namespace: system,
    names: ['mcprt-anchor'],
    because: 'each backup moves it on',
  },
];

export const backupRules: readonly PermissionRule[] = [...planRules, ...anchorRules];

const brakeRules: readonly PermissionRule[] = [
  {
    on: kinds.admissionPolicy,
    verbs: ['create'],
    because: 'the lock between restores and wipes, which keeps cert-manager from ordering; the kind has no namespace',
  },
  {
    on: kinds.admissionPolicy,
    verbs: ['get', 'patch', 'delete'],
    names: brake,
    because: 'whose the lock is; taking it over from a run that was killed; letting it go',
    unseen: { patch: 'taking over a lock that a killed run has left' },
  },
  {
    on: kinds.admissionPolicyBinding,
    verbs: ['create', 'patch', 'delete'],
    names: brake,
    because: 'what puts the policy into force',
  },
  {
    on: kinds.configMap,
    verbs: ['get'],
    namespace: system,
    names: ['mcprt-rollout', 'mcprt-install'],
    because: 'whether a rollout or a setup is under way',
  },
];

/** Of the canary that shows that cert-manager has seen the restored Secrets. @param namespace cert-manager's */
export function barrierRules(namespace: string): PermissionRule[] {
  return [
    {
      on: kinds.certificate,
      verbs: ['create', 'watch', 'delete'],
      namespace,
      because: 'the canary that shows that cert-manager has seen the restored Secrets',
    },
    {
      on: kinds.secret,
      verbs: ['list', 'delete'],
      namespace,
      because: 'the canary’s Secret, also one that a killed run has left',
    },
  ];
}

export const restoreRules: readonly PermissionRule[] = [
  ...planRules,
  // Names of the backup, which nobody knows before it is read; whoever may patch them all could read them anyway.
  { on: kinds.secret, verbs: ['get'], because: 'what is there of what the backup holds, and whether it is of any use' },
  ...brakeRules,
  {
    on: kinds.order,
    verbs: ['create'],
    namespace: 'default',
    because: 'dry runs only: they prove that new orders are denied',
  },
  { on: kinds.order, verbs: ['list'], because: 'that none was made meanwhile' },
  { on: kinds.namespace, verbs: ['create'], because: 'namespaces of the backup that are not there' },
  {
    on: kinds.secret,
    verbs: ['create', 'patch'],
    because: 'what is restored, into namespaces that need not be there yet',
    unseen: { patch: 'a Secret that is there and of no use is replaced' },
  },
  {
    on: kinds.configMap,
    verbs: ['create'],
    because: 'the platform’s configuration, into a namespace that need not be there yet',
  },
  {
    on: kinds.configMap,
    verbs: ['patch'],
    names: [platformConfig.name],
    because: 'keys that a present configuration lacks',
    unseen: { patch: 'a configuration that is there and lacks keys' },
  },
  {
    on: kinds.certificateRequest,
    verbs: ['delete'],
    because: 'requests that would still order for what is restored',
    unseen: { delete: 'an issuance that was under way, by how far it was' },
  },
  {
    on: kinds.certificate,
    verbs: ['get'],
    because: 'an issuance that is called off',
    unseen: { get: 'an issuance that was under way' },
  },
  {
    on: kinds.certificate,
    subresource: 'status',
    verbs: ['patch'],
    because: 'an issuance that is called off',
    unseen: { patch: 'an issuance that was under way' },
  },
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
  ...[kinds.mcpServer, kinds.mcpAccessGrant, kinds.mcpAgentSession].map(
    (on): PermissionRule => ({
      on,
      verbs: ['list', 'delete'],
      because: 'the platform’s own objects, also in namespaces that stay',
      unseen: { delete: 'objects in namespaces that stay' },
    }),
  ),
  ...[kinds.mutatingWebhookConfiguration, kinds.validatingWebhookConfiguration].flatMap((on): PermissionRule[] => [
    { on, verbs: ['list'], because: 'what would call a Service that goes' },
    {
      on,
      verbs: ['delete'],
      names: [...platformWebhooks.own, ...platformWebhooks.shared].filter((name) =>
        name.includes(on === kinds.mutatingWebhookConfiguration ? 'mutating' : 'validating'),
      ),
      because: 'the operator’s',
      unseen: { delete: 'the operator’s versions have one pair of these names or the other' },
    },
  ]),
  ...[kinds.clusterRole, kinds.clusterRoleBinding].map(
    (on): PermissionRule => ({
      on,
      verbs: ['list', 'delete'],
      because: 'the platform’s, by their names or by its label on any name',
    }),
  ),
  { on: kinds.apiService, verbs: ['list'], because: 'what would call a Service that goes' },
  { on: kinds.persistentVolume, verbs: ['list'], because: 'volumes that outlive their claims are named' },
  { on: kinds.namespace, verbs: ['watch', 'delete'], because: 'the wipe itself' },
  ...holders.map(
    (on): PermissionRule => ({
      on,
      verbs: ['list'],
      optional: true,
      because: 'objects that hold a namespace are named with their finalizers',
      ...(on === kinds.configMap ? {} : { unseen: { list: 'a namespace that is held by one of these' } }),
    }),
  ),
  {
    on: kinds.configMap,
    verbs: ['get', 'patch', 'delete'],
    namespace: system,
    names: ['mcprt-wipe'],
    because: 'what a wipe writes down, so that the next run can go on after a kill',
    unseen: { patch: 'a journal that an earlier wipe has left' },
  },
  {
    on: kinds.configMap,
    verbs: ['patch'],
    namespace: system,
    names: ['mcprt-install'],
    because: 'that an installation is due, until which no rollout may begin',
  },
];
