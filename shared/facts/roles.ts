import type { Kind } from '../cluster/objects.js';
import { kinds } from '../cluster/objects.js';

/**
 * What an object is for; one Secret can be for several things. The order is the order of a restore: what others depend
 * on comes first (cert-manager's issuers make a new account when its key is missing at the moment that they look).
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

/** The kind of an object by its roles, of which all have the same. */
export function kindOf({ roles: all }: { roles: readonly Role[] }): Kind {
  return kindOfRole(all[0] ?? 'tls');
}

export function hasRole({ roles: all }: { roles: readonly Role[] }, role: Role): boolean {
  return all.includes(role);
}

/** Roles without doubles, in the order of a restore. */
export function inOrder(all: Iterable<Role>): Role[] {
  const present = new Set(all);
  return roles.filter((role) => present.has(role));
}

/** What refers to an object of the inventory. */
export interface Referrer {
  /** `Certificate`, `Ingress`, `Issuer`, `ClusterIssuer`, or `the platform`. */
  kind: string;
  namespace: string;
  name: string;
  /** Whether it belongs to the platform, or the platform's certificates depend on it. */
  isOurs: boolean;
}

/** An object that a backup must hold, and what points at it. */
export interface Reference {
  roles: Role[];
  namespace: string;
  name: string;
  referrers: Referrer[];
  /** Whether a backup without it would be incomplete. */
  required: boolean;
  /** Where only a guess names it: the field, for a warning when there is no such Secret. */
  guessedBy?: string;
}

/** Who refers to an object, in words. */
export function becauseOf({ referrers }: Pick<Reference, 'referrers'>): string {
  const names = referrers.map(({ kind, namespace, name }) =>
    [kind, namespace === '' ? name : `${namespace}/${name}`].filter((part) => part !== '').join(' '),
  );
  return [...new Set(names)].join(', ');
}
