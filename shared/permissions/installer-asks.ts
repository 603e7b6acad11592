import { type Kind, kinds } from '../cluster/objects.js';
import type { PermissionRule, Verb } from './rule.js';
import { rule } from './rule.js';

/**
 * What programs of others ask with setup's credentials: the platform's installer, its doctor, and the kubectl that both
 * start. It is what the API server's audit log had of the real ones (upstream 60b299e, API server 1.36), and of
 * cert-manager's release manifest. A preflight asks for all of it: what is lacking is found before anything is changed.
 *
 * Namespaces come and go with the platform, so that nothing of it is granted in one: it could not be demanded before the
 * first install, which makes them.
 */

/** Why an audit log does not show the verbs that RBAC asks for when roles are made and bound. */
export const withinAnother = 'asked for inside of the request that makes a role or a binding';

const others = 'programs of others, whose next version may use another verb than the lab’s';
const makes: readonly Verb[] = ['get', 'create', 'update', 'patch'];
const minds: readonly Verb[] = ['list', 'watch', 'delete'];
const installer = 'the platform’s installer and cert-manager’s manifest make these, and bring them up to date';
const doctor = 'the platform’s doctor, which an installation asks at its end';

/** Of what is made, an installer reads, makes and changes every kind, by POST and PUT or by `kubectl apply`. */
const made: readonly Pick<Kind, 'group' | 'plural'>[] = [
  kinds.namespace,
  kinds.secret,
  kinds.configMap,
  kinds.service,
  kinds.serviceAccount,
  kinds.pod,
  kinds.persistentVolumeClaim,
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
  kinds.clusterIssuer,
  { group: 'traefik.io', plural: 'serverstransports' },
  kinds.role,
  kinds.clusterRole,
  kinds.roleBinding,
  kinds.clusterRoleBinding,
];

/** What was recorded besides, each with what it was for. */
const recorded: readonly PermissionRule[] = [
  ...made.map((on) => rule(on, makes, installer, { unseen: unseenAll(makes) })),
  rule(
    kinds.pod,
    ['list', 'watch', 'delete'],
    'the installer’s helper pods: `kubectl wait` lists and watches them, and they are deleted',
    { unseen: { watch: others } },
  ),
  rule(
    kinds.pod,
    ['get', 'create'],
    'the installer fills its registry by `kubectl cp` and exec, and brings the database’s password up to date; since 1.35 a WebSocket takes `create` too',
    { subresource: 'exec' },
  ),
  rule(kinds.job, ['delete'], 'the installer runs its Jobs again'),
  rule(kinds.ingress, ['delete'], 'the installer makes Ingresses by path, and takes them away again'),
  rule(kinds.pod, ['get'], doctor, { subresource: 'log' }),
  ...[kinds.resourceQuota, kinds.limitRange].map((on) => rule(on, ['list'], doctor)),
  rule(
    kinds.mcpServer,
    ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    `${doctor}: it applies a server of its own, and deletes it`,
    {
      unseen: {
        watch: '`kubectl delete` waits until it is gone: the lab’s doctor looks again instead',
        patch: '`kubectl apply` of one that is there: the lab’s doctor has a name of its own each time',
        delete: 'admission of the lab refuses its server, so that there is none to delete',
      },
    },
  ),
  ...[kinds.role, kinds.clusterRole].map((on) =>
    rule(
      on,
      ['escalate', 'bind'],
      'roles that grant what these credentials do not have themselves: in effect an administrator',
      { unseen: { escalate: withinAnother, bind: withinAnother } },
    ),
  ),
];

/** What was not recorded, and a next version may ask: granted, and not demanded. */
const possible: readonly PermissionRule[] = made.map((on) =>
  rule(on, minds, installer, { optional: true, unseen: unseenAll(minds) }),
);

export const installerRules: readonly PermissionRule[] = [...recorded, ...possible];

function unseenAll(verbs: readonly Verb[]): Partial<Record<Verb, string>> {
  return Object.fromEntries(verbs.map((verb) => [verb, others]));
}
