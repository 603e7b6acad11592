import { backupRules, planRules, restoreRules, verifyRules, wipeRules } from './backup-rules.js';
import {
  permissionsRules,
  portForwardRules,
  rolloutPlanRules,
  rolloutPullRequestRules,
  rolloutRules,
} from './rollout-rules.js';
import { distinct, type PermissionRule } from './rule.js';
import { checkRules, installRules, setupPlanRules, setupPullRequestRules } from './setup-rules.js';
import { smokeRules } from './smoke-test-rules.js';

/** What one operation may do on a cluster; the one source of its manifest, its table and its preflight. */
export interface Operation {
  action: 'action-backup' | 'action-setup' | 'action-rollout' | 'action-smoke-test';
  /** How its user calls it, for people. */
  title: string;
  rules: readonly PermissionRule[];
  /** The accounts that it is granted to; only an option has those of others. */
  accounts: readonly string[];
  /** What whoever applies the manifest must know. */
  note?: string;
}

/** Names of operations and options, which are those of their manifests. */
export type OperationName =
  | 'backup'
  | 'verify'
  | 'plan'
  | 'restore'
  | 'wipe'
  | 'check'
  | 'setup-plan'
  | 'setup-pull-request'
  | 'install'
  | 'rollout-plan'
  | 'rollout-pull-request'
  | 'rollout'
  | 'smoke-test'
  | 'rollout-port-forward'
  | 'rollout-permissions';

const again =
  'Some of its Roles are in namespaces of the platform. Apply it when they are there, and again after a wipe, which takes a Role with its namespace.';

const own = (
  name: OperationName,
  action: Operation['action'],
  title: string,
  rules: readonly PermissionRule[],
  note?: string,
): [OperationName, Operation] => {
  let found: PermissionRule[] | undefined;
  const operation: Operation = {
    action,
    title,
    // Each start loads all operations, and needs one.
    get rules() {
      found ??= distinct(rules);
      return found;
    },
    accounts: [accountOf(name)],
    ...(note === undefined ? {} : { note }),
  };
  return [name, operation];
};

/** The ServiceAccount of an operation, in kube-system: no wipe takes it away in the middle of its own work. */
export function accountOf(operation: OperationName): string {
  return `mcprt-${operation}`;
}

export const accountNamespace = 'kube-system';

/** Every operation that has a cluster, and every option that needs more, by the name of its manifest in docs/rbac. */
export const grants: ReadonlyMap<OperationName, Operation> = new Map([
  own('backup', 'action-backup', '`backup`', backupRules),
  own('verify', 'action-backup', '`verify`', verifyRules),
  own('plan', 'action-backup', '`plan`, and a dry run of `restore`', planRules),
  own(
    'restore',
    'action-backup',
    '`restore`',
    restoreRules,
    'One Role is in namespace cert-manager. On an empty cluster that one is refused, and not needed; apply the file again when cert-manager is there. Where cert-manager is in another namespace, change it here.',
  ),
  own('wipe', 'action-backup', '`wipe`', wipeRules),
  own('check', 'action-setup', '`check`', checkRules),
  own('setup-pull-request', 'action-setup', '`check` of a pull request', setupPullRequestRules),
  own('setup-plan', 'action-setup', '`install` with `dry-run`', setupPlanRules),
  own(
    'install',
    'action-setup',
    '`install`, and the post step',
    installRules,
    'This is in effect an administrator: the platform’s installer and cert-manager’s manifest make roles that grant more than this account has, which takes `escalate` and `bind`. Keep it in an environment with required reviewers.',
  ),
  own('rollout-plan', 'action-rollout', '`plan`', rolloutPlanRules, again),
  own('rollout-pull-request', 'action-rollout', '`plan` with `without-secrets`', rolloutPullRequestRules, again),
  own('rollout', 'action-rollout', '`rollout`, and the post step', rolloutRules, again),
  own('smoke-test', 'action-smoke-test', 'every operation, with `kubeconfig`', smokeRules, again),
  [
    'rollout-port-forward',
    {
      action: 'action-rollout',
      title: '`registry-access: port-forward`, on top',
      rules: portForwardRules,
      accounts: ['mcprt-rollout', 'mcprt-rollout-plan'],
      note: again,
    },
  ],
  [
    'rollout-permissions',
    {
      action: 'action-rollout',
      title: '`permissions`, on top',
      rules: permissionsRules,
      accounts: ['mcprt-rollout', 'mcprt-rollout-plan'],
      note: 'This is in effect an administrator: it makes roles that may grant anything. A rollout without the input `permissions` does not need it.',
    },
  ],
]);

/** The rules of some operations and options together. */
export function rulesOf(...names: readonly OperationName[]): PermissionRule[] {
  return distinct(names.flatMap((name) => grants.get(name)?.rules ?? []));
}
