import { count, duration, flag, namespaceNames, oneOf, someOf, text } from '../../shared/action/inputs.js';
import { refusalRules } from '../../shared/backup/refusals.js';
import { scopes } from '../../shared/wipe/targets.js';

/** The inputs of action-backup, in the order of its action.yml. */
export const inputTypes = {
  operation: oneOf(['backup', 'verify', 'fetch', 'plan', 'restore', 'wipe']),
  kubeconfig: text,
  'kubeconfig-trusted': flag,
  profile: text,
  domain: text,
  'backup-key': text,
  'restore-key': text,
  stores: someOf(['cache', 'artifact', 'directory']),
  directory: text,
  'retention-days': count,
  'max-orders': count,
  'max-age': duration,
  'from-cluster': text,
  allow: someOf([...refusalRules, 'older-backup']),
  confirm: text,
  scope: oneOf(scopes),
  also: namespaceNames,
  cluster: text,
  timeout: duration,
  'dry-run': flag,
  'github-token': text,
} as const;

/** The outputs of action-backup, in the order of its action.yml. */
export const outputNames = [
  'result',
  'generation',
  'name',
  'stores',
  'certificates',
  'orders',
  'wiped',
  'fingerprint',
  'created-at',
  'expires-at',
] as const;
