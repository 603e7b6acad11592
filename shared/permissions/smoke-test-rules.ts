import { kinds } from '../cluster/objects.js';
import { platformNamespaces, pullSecretName } from '../platform/resources.js';
import type { PermissionRule } from './rule.js';

const { sentinel, registry } = platformNamespaces;

/** Where neither `admin-key` nor `admin-email` says who the admin is. */
export const smokeAdminRules: readonly PermissionRule[] = [
  {
    on: kinds.secret,
    verbs: ['get'],
    namespace: sentinel,
    names: ['mcp-sentinel-secrets'],
    because: 'the admin’s key, where none is given',
  },
];

/** Suite `tenant`, and previews. */
export const smokeTenantRules: readonly PermissionRule[] = [
  {
    on: kinds.secret,
    verbs: ['get'],
    names: [pullSecretName],
    because: 'whether a team’s namespace can pull; it is made with the team',
  },
  {
    on: kinds.mcpServer,
    verbs: ['get'],
    because: 'whether the server is as it was asked for, in its team’s namespace',
  },
  ...[kinds.pod, kinds.event].map(
    (on): PermissionRule => ({
      on,
      verbs: ['list'],
      optional: true,
      because: 'why a server does not start, in its team’s namespace',
    }),
  ),
];

const teams = ['', '-acme', '-globex', '-techcorp'].map((end) => `mcp-team-mcprt-smoke${end}`);
const withoutEvents = 'a server whose metadata asks for analytics: the lab’s tells no events there';

/** What outlives a server of the tests, in the namespaces that the default of `team-prefix` leads to. */
const keySecretRules = teams.map(
  (namespace, index): PermissionRule => ({
    on: kinds.secret,
    verbs: ['get', 'list', 'delete'],
    namespace,
    optional: true,
    because:
      'Secrets that the platform makes with a server, and leaves; with another `team-prefix` change the namespaces',
    ...(index === 0 ? { unseen: { get: withoutEvents, delete: withoutEvents } } : {}),
  }),
);

export const smokeRules: readonly PermissionRule[] = [
  ...[registry, sentinel].map(
    (namespace): PermissionRule => ({
      on: kinds.secret,
      verbs: ['list'],
      namespace,
      optional: true,
      because: 'serial numbers of the certificates, to compare with those that are served',
    }),
  ),
  ...smokeAdminRules,
  ...smokeTenantRules,
  ...keySecretRules,
];
