import { kinds } from '../cluster/objects.js';
import {
  passwordsSecret,
  platformConfig,
  platformNamespaces,
  pullSecretName,
  teamPolicyName,
} from '../platform/resources.js';
import { lockRules } from './backup-rules.js';
import { withinAnother } from './installer-asks.js';
import type { PermissionRule } from './rule.js';
import { rule } from './rule.js';

const { sentinel, registry } = platformNamespaces;
const system = 'kube-system';
const pullSecretUnseen = 'a pull Secret that is away, is of another type or has an old password: the lab’s is right';
const workloads = [kinds.deployment, kinds.statefulSet, kinds.daemonSet];

/** The platform's namespace goes in a wipe, and with it the Role there: what the cluster remembers says that it is to be installed. */
function whereInstalled(one: PermissionRule): PermissionRule {
  return one.namespace === sentinel ? { ...one, ifPresent: true } : one;
}

const planRules: readonly PermissionRule[] = [
  rule(kinds.namespace, ['list'], 'whether the platform is there at all', { names: [sentinel], optional: true }),
  rule(kinds.namespace, ['get'], 'its UID is the cluster’s fingerprint', { names: [system] }),
  ...lockRules,
  rule(kinds.node, ['list'], 'the processor that images must be for'),
  rule(kinds.networkPolicy, ['list'], 'the policies of all teams, by one list', { names: [teamPolicyName] }),
  ...workloads.map((on) => rule(on, ['list'], 'what runs now', { namespace: sentinel })),
  rule(kinds.configMap, ['get'], 'what the platform is told now', {
    namespace: sentinel,
    names: [platformConfig.name],
  }),
  rule(kinds.secret, ['get'], 'the registry’s password, and whether the pull Secret has it', {
    namespace: sentinel,
    names: [passwordsSecret.name, pullSecretName],
  }),
  rule(
    kinds.configMap,
    ['get'],
    'what a rollout that was cut off has written down; whether a setup is due or under way',
    { namespace: system, names: ['mcprt-rollout', 'mcprt-install'] },
  ),
];

export const rolloutPlanRules: readonly PermissionRule[] = planRules.map(whereInstalled);

/** A plan that looks at no Secret: for a pull request, whose author may be anybody with a branch. */
export const rolloutPullRequestRules: readonly PermissionRule[] = rolloutPlanRules.filter(
  ({ on }) => on !== kinds.secret,
);

const applyRules: readonly PermissionRule[] = [
  ...workloads.map((on) =>
    rule(on, ['get', 'watch', 'patch'], 'new images; following them; rolling back what failed', {
      namespace: sentinel,
      ...(on === kinds.deployment
        ? {}
        : {
            unseen: {
              get: `a ${on.kind} that is rolled back: the lab’s platform has none that reads the configuration`,
              patch: `a ${on.kind} that reads the configuration: the lab’s platform has none`,
            },
          }),
    }),
  ),
  ...[kinds.replicaSet, kinds.pod].map((on) =>
    rule(on, ['list', 'watch'], 'how the rollout goes', { namespace: sentinel }),
  ),
  rule(kinds.event, ['list', 'watch'], 'why a pod does not start', { namespace: sentinel, optional: true }),
  rule(kinds.node, ['watch'], 'why a pod is placed nowhere', { optional: true }),
  rule(kinds.pod, ['get'], 'the last lines of a container that crashes', {
    subresource: 'log',
    namespace: sentinel,
    optional: true,
  }),
  rule(kinds.configMap, ['patch'], 'what the profile says', { namespace: sentinel, names: [platformConfig.name] }),
  rule(
    kinds.secret,
    ['create', 'patch', 'delete'],
    'the registry’s present password; one of another type is made again',
    {
      namespace: sentinel,
      names: [pullSecretName],
      unseen: { create: pullSecretUnseen, patch: pullSecretUnseen, delete: pullSecretUnseen },
    },
  ),
  rule(
    kinds.networkPolicy,
    ['get', 'patch'],
    'the rule that lets Traefik in, in the namespaces of all teams, which come and go',
    { names: [teamPolicyName], unseen: { get: 'a policy that somebody else changes at the same moment' } },
  ),
  rule(kinds.configMap, ['create'], 'mcprt-rollout: lock and journal of a rollout', { namespace: system }),
  rule(kinds.configMap, ['patch', 'delete'], 'lock and journal of a rollout, taken over and taken away', {
    namespace: system,
    names: ['mcprt-rollout'],
  }),
];

export const rolloutRules: readonly PermissionRule[] = [...rolloutPlanRules, ...applyRules.map(whereInstalled)];

/** With `registry-access: port-forward`, or where `auto` finds the public way closed. */
export const portForwardRules: readonly PermissionRule[] = [
  rule(kinds.pod, ['list'], 'the registry’s pod', { namespace: registry }),
  rule(kinds.secret, ['get'], 'the CA that its certificate is verified against', {
    namespace: registry,
    names: ['registry-internal-tls'],
  }),
  rule(kinds.pod, ['get', 'create'], 'connections to it', {
    subresource: 'portforward',
    namespace: registry,
    unseen: { create: 'the API server asks for it inside of the `get` that opens a WebSocket: no request of its own' },
  }),
];

const ofNamespaces = 'manifests of a namespace: the lab’s have none, the platform’s may';
const verbs = ['get', 'create', 'patch', 'delete'] as const;
const unseenDelete = { delete: 'one that was not there before a rollout that failed after making it' };
const unseenVerbs = { get: ofNamespaces, create: ofNamespaces, patch: ofNamespaces, delete: ofNamespaces };

/** With `permissions`: the manifests come from the platform's source, and their names are its own. */
export const permissionsRules: readonly PermissionRule[] = [
  rule(kinds.serviceAccount, verbs, 'manifests of `permissions`, and putting them back', { unseen: unseenDelete }),
  rule(
    kinds.clusterRole,
    [...verbs, 'escalate', 'bind'],
    'roles may grant what these credentials do not have themselves',
    { unseen: { ...unseenDelete, escalate: withinAnother, bind: withinAnother } },
  ),
  rule(kinds.clusterRoleBinding, verbs, 'bindings give these roles to accounts', { unseen: unseenDelete }),
  rule(kinds.role, [...verbs, 'escalate', 'bind'], 'roles may grant what these credentials do not have themselves', {
    unseen: { ...unseenVerbs, escalate: withinAnother, bind: withinAnother },
  }),
  rule(kinds.roleBinding, verbs, 'bindings give these roles to accounts', { unseen: unseenVerbs }),
];
