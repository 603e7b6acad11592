import { kinds } from '../cluster/objects.js';
import { platformConfig, platformNamespaces, pullSecretName, teamPolicyName } from '../platform/resources.js';
import { withinAnother } from './installer-asks.js';
import type { PermissionRule } from './rule.js';

const { sentinel, registry } = platformNamespaces;
const system = 'kube-system';
const pullSecretUnseen = 'a pull Secret that is away, is of another type or has an old password: the lab’s is right';
const workloads = [kinds.deployment, kinds.statefulSet, kinds.daemonSet];

export const rolloutPlanRules: readonly PermissionRule[] = [
  { on: kinds.namespace, verbs: ['get'], names: [system], because: 'its UID is the cluster’s fingerprint' },
  {
    on: kinds.admissionPolicy,
    verbs: ['get'],
    names: ['mcprt-brake'],
    because: 'whether a restore or wipe is under way; the kind has no namespace',
  },
  { on: kinds.node, verbs: ['list'], because: 'the processor that images must be for' },
  {
    on: kinds.networkPolicy,
    verbs: ['list'],
    names: [teamPolicyName],
    because: 'the policies of all teams, by one list',
  },
  ...workloads.map((on): PermissionRule => ({ on, verbs: ['list'], namespace: sentinel, because: 'what runs now' })),
  {
    on: kinds.configMap,
    verbs: ['get'],
    namespace: sentinel,
    names: [platformConfig.name],
    because: 'what the platform is told now',
  },
  {
    on: kinds.secret,
    verbs: ['get'],
    namespace: sentinel,
    names: ['mcp-sentinel-secrets', pullSecretName],
    because: 'the registry’s password, and whether the pull Secret has it',
  },
  {
    on: kinds.configMap,
    verbs: ['get'],
    namespace: system,
    names: ['mcprt-rollout', 'mcprt-install'],
    because: 'what a rollout that was cut off has written down; whether a setup is due or under way',
  },
];

/** A plan that looks at no Secret: for a pull request, whose author may be anybody with a branch. */
export const rolloutPullRequestRules: readonly PermissionRule[] = rolloutPlanRules.filter(
  ({ on }) => on !== kinds.secret,
);

export const rolloutRules: readonly PermissionRule[] = [
  ...rolloutPlanRules,
  ...workloads.map(
    (on): PermissionRule => ({
      on,
      verbs: ['get', 'watch', 'patch'],
      namespace: sentinel,
      because: 'new images; following them; putting back what failed',
      ...(on === kinds.deployment
        ? {}
        : {
            unseen: {
              get: `a ${on.kind} that is put back: the lab’s platform has none that reads the configuration`,
              patch: `a ${on.kind} that reads the configuration: the lab’s platform has none`,
            },
          }),
    }),
  ),
  ...[kinds.replicaSet, kinds.pod].map(
    (on): PermissionRule => ({ on, verbs: ['list', 'watch'], namespace: sentinel, because: 'how the rollout goes' }),
  ),
  {
    on: kinds.event,
    verbs: ['list', 'watch'],
    namespace: sentinel,
    optional: true,
    because: 'why a pod does not start',
  },
  { on: kinds.node, verbs: ['watch'], optional: true, because: 'why a pod is placed nowhere' },
  {
    on: kinds.pod,
    subresource: 'log',
    verbs: ['get'],
    namespace: sentinel,
    optional: true,
    because: 'the last lines of a container that crashes',
  },
  {
    on: kinds.configMap,
    verbs: ['patch'],
    namespace: sentinel,
    names: [platformConfig.name],
    because: 'what the profile says',
  },
  {
    on: kinds.secret,
    verbs: ['create', 'patch', 'delete'],
    namespace: sentinel,
    names: [pullSecretName],
    because: 'the registry’s present password; one of another type is made anew',
    unseen: { create: pullSecretUnseen, patch: pullSecretUnseen, delete: pullSecretUnseen },
  },
  {
    on: kinds.networkPolicy,
    verbs: ['get', 'patch'],
    names: [teamPolicyName],
    because: 'the rule that lets Traefik in, in the namespaces of all teams, which come and go',
    unseen: { get: 'a policy that somebody else changes at the same moment' },
  },
  {
    on: kinds.configMap,
    verbs: ['create'],
    namespace: system,
    because: 'mcprt-rollout: lock and journal of a rollout',
  },
  {
    on: kinds.configMap,
    verbs: ['patch', 'delete'],
    namespace: system,
    names: ['mcprt-rollout'],
    because: 'lock and journal of a rollout, taken over and taken away',
  },
];

/** With `registry-access: port-forward`, or where `auto` finds the public way closed. */
export const portForwardRules: readonly PermissionRule[] = [
  { on: kinds.pod, verbs: ['list'], namespace: registry, because: 'the registry’s pod' },
  {
    on: kinds.secret,
    verbs: ['get'],
    namespace: registry,
    names: ['registry-internal-tls'],
    because: 'the CA that its certificate is verified against',
  },
  {
    on: kinds.pod,
    subresource: 'portforward',
    verbs: ['get', 'create'],
    namespace: registry,
    because: 'connections to it',
    unseen: { create: 'the API server asks for it inside of the `get` that opens a WebSocket: no request of its own' },
  },
];

const ofNamespaces = 'manifests of a namespace: the lab’s have none, the platform’s may';
const verbs = ['get', 'create', 'patch', 'delete'] as const;
const unseenDelete = { delete: 'one that was not there before a rollout that failed after making it' };
const unseenVerbs = { get: ofNamespaces, create: ofNamespaces, patch: ofNamespaces, delete: ofNamespaces };

/** With `permissions`: the manifests come from the platform's source, and their names are its own. */
export const permissionsRules: readonly PermissionRule[] = [
  {
    on: kinds.serviceAccount,
    verbs,
    because: 'manifests of `permissions`, and putting them back',
    unseen: unseenDelete,
  },
  {
    on: kinds.clusterRole,
    verbs: [...verbs, 'escalate', 'bind'],
    because: 'roles may grant what these credentials do not have themselves',
    unseen: { ...unseenDelete, escalate: withinAnother, bind: withinAnother },
  },
  {
    on: kinds.clusterRoleBinding,
    verbs,
    because: 'bindings give these roles to accounts',
    unseen: unseenDelete,
  },
  {
    on: kinds.role,
    verbs: [...verbs, 'escalate', 'bind'],
    because: 'roles may grant what these credentials do not have themselves',
    unseen: { ...unseenVerbs, escalate: withinAnother, bind: withinAnother },
  },
  { on: kinds.roleBinding, verbs, because: 'bindings give these roles to accounts', unseen: unseenVerbs },
];
