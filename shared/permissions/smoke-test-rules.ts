import { kinds } from '../cluster/objects.js';
import { passwordsSecret, platformNamespaces, pullSecretName } from '../platform/resources.js';
import type { PermissionRule } from './rule.js';
import { rule } from './rule.js';

const { sentinel, registry } = platformNamespaces;

/** Where neither `admin-key` nor `admin-email` says who the admin is. */
export const smokeAdminRules: readonly PermissionRule[] = [
  rule(kinds.secret, ['get'], 'the admin’s key, where none is given', {
    namespace: sentinel,
    names: [passwordsSecret.name],
  }),
];

/** Suite `tenant`, and previews. */
export const smokeTenantRules: readonly PermissionRule[] = [
  rule(kinds.secret, ['get'], 'whether a team’s namespace can pull; it is made with the team', {
    names: [pullSecretName],
  }),
  rule(kinds.mcpServer, ['get'], 'whether the server is as it was asked for, in its team’s namespace'),
  ...[kinds.pod, kinds.event].map((on) =>
    rule(on, ['list'], 'why a server does not start, in its team’s namespace', { optional: true }),
  ),
];

const teams = ['', '-acme', '-globex', '-techcorp'].map((end) => `mcp-team-mcprt-smoke${end}`);
const withoutEvents = 'a server whose metadata asks for analytics: the lab’s tells no events there';

/** What outlives a server of the tests, in the namespaces that the default of `team-prefix` leads to. */
const keySecretRules = teams.map(
  (namespace, index): PermissionRule =>
    rule(
      kinds.secret,
      ['get', 'list', 'delete'],
      'Secrets that the platform makes with a server, and leaves; with another `team-prefix` change the namespaces',
      { namespace, optional: true, ...(index === 0 ? { unseen: { get: withoutEvents, delete: withoutEvents } } : {}) },
    ),
);

export const smokeRules: readonly PermissionRule[] = [
  ...[registry, sentinel].map(
    (namespace): PermissionRule =>
      rule(kinds.secret, ['list'], 'serial numbers of the certificates, to compare with those that are served', {
        namespace,
        optional: true,
      }),
  ),
  ...smokeAdminRules,
  ...smokeTenantRules,
  ...keySecretRules,
];
