import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Accounts, Role, User } from './accounts.js';
import { type TeamOfCaller, verify } from './jwt.js';

/** The namespace whose servers everybody sees. */
export const sharedNamespace = 'mcp-servers';

/** Who calls. A service key is no person: it has neither subject nor e-mail. */
export interface Principal {
  role: Role;
  subject?: string;
  email?: string;
  teams: readonly TeamOfCaller[];
  /** With which of the three kinds of credentials. */
  by: 'token' | 'service-key' | 'user-key';
}

/** A key that a user has made for programs. */
export interface UserKey {
  id: string;
  name: string;
  prefix: string;
  created_at: string;
  revoked: boolean;
}

/** What a caller's credentials are compared with. */
export interface Credentials {
  secret: string;
  adminKeys: readonly string[];
  serviceKeys: readonly string[];
  accounts: Accounts;
  userKeys: UserKeys;
}

/** Who a call's headers say that its caller is; undefined when they say nothing that is true. */
export function principalOf(headers: IncomingHttpHeaders, credentials: Credentials): Principal | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string' && key !== '') {
    if (credentials.adminKeys.includes(key)) return { role: 'admin', teams: [], by: 'service-key' };
    if (credentials.serviceKeys.includes(key)) return { role: 'user', teams: [], by: 'service-key' };
    const user = credentials.userKeys.ownerOf(key);
    if (user !== undefined) return personOf(user, credentials.accounts.teamsOf(user), 'user-key');
  }
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  const claims = token === undefined ? undefined : verify(token, credentials.secret);
  if (claims === undefined) return undefined;
  return { role: claims.role, subject: claims.sub, email: claims.email, teams: claims.teams ?? [], by: 'token' };
}

/** A user as the caller of the API. */
export function personOf(user: User, teams: readonly TeamOfCaller[], by: Principal['by']): Principal {
  return { role: user.role, subject: user.id, email: user.email, teams, by };
}

/** Namespaces that a caller may see. */
export function allowedNamespaces({ teams }: Pick<Principal, 'teams'>): string[] {
  return [...teams.map(({ namespace }) => namespace), sharedNamespace];
}

export function ownsNamespace({ role, teams }: Principal, namespace: string): boolean {
  return role === 'admin' || teams.some((one) => one.namespace === namespace && one.role === 'owner');
}

export function seesNamespace(caller: Principal, namespace: string): boolean {
  return caller.role === 'admin' || allowedNamespaces(caller).includes(namespace);
}

/** The API keys and registry passwords of users, of which only hashes are kept. */
export class UserKeys {
  readonly #keys: { key: UserKey; user: User; hash: string }[] = [];

  /** @returns the key in the clear, which cannot be had a second time */
  add(user: User, name: string, kind: { text: string; id: string }): { key: UserKey; clear: string } {
    const clear = `${kind.text}_${randomBytes(32).toString('base64url')}`;
    const key: UserKey = {
      id: kind.id,
      name,
      prefix: clear.slice(0, 8),
      created_at: new Date().toISOString(),
      revoked: false,
    };
    this.#keys.push({ key, user, hash: hashOf(clear) });
    return { key, clear };
  }

  of(user: string): UserKey[] {
    return this.#keys.filter((one) => one.user.id === user).map(({ key }) => key);
  }

  ownerOf(clear: string): User | undefined {
    return this.#keys.find(({ key, hash }) => !key.revoked && hash === hashOf(clear))?.user;
  }

  remove(user: string, id: string): boolean {
    const index = this.#keys.findIndex((one) => one.user.id === user && one.key.id === id);
    if (index >= 0) this.#keys.splice(index, 1);
    return index >= 0;
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
