import type { Kind } from '../cluster/objects.js';
import { kinds } from '../cluster/objects.js';

/**
 * What an object is for. The order is the order of a restore: what others depend on comes first
 * (cert-manager's issuers make a new account when its key is missing at the moment that they look).
 */
export const roles = [
  'namespace',
  'account-key',
  'issuer-secret',
  'ca-key',
  'keystore-password',
  'tls',
  'platform-secret',
  'platform-config',
] as const;

export type Role = (typeof roles)[number];

/** The kind of the objects that have a role. */
export function kindOfRole(role: Role): Kind {
  if (role === 'namespace') return kinds.namespace;
  return role === 'platform-config' ? kinds.configMap : kinds.secret;
}

/** An object that a backup must hold, and what points at it. */
export interface Reference {
  role: Role;
  namespace: string;
  name: string;
  /** Objects that refer to it, or the rule that names it: for messages. */
  because: string;
  /** Whether a backup without it would be incomplete. */
  required: boolean;
}
