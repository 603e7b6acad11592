import type { Cluster } from '../../../shared/cluster/cluster.js';
import type { Layout } from '../names.js';
import type { Accounts, User } from './accounts.js';
import type { EventStore } from './event-store.js';
import { sign } from './jwt.js';
import type { Lockout } from './lockout.js';
import { allowedNamespaces, type Credentials } from './principal.js';

/** Figures that a proof may want otherwise than a real platform has them. */
export interface Settings {
  tokenSeconds: number;
  /** Seconds of the first lock after failed logins. */
  lockoutSeconds: number;
  /** How long an event is under way to where it can be read. */
  eventDelayMs: number;
  /** How long a push takes at least. */
  pushMs: number;
  activeServerLimit: number;
}

/** What the API's routes work with. */
export interface ApiContext {
  cluster: Cluster;
  layout: Layout;
  domain: string;
  registryUrl: string;
  settings: Settings;
  accounts: Accounts;
  credentials: Credentials;
  lockout: Lockout;
  events: EventStore;
  /** Whether the API's right to read a new team's Secrets comes too late, which it does now and then. */
  losesRace(): boolean;
}

export const hosts = (domain: string): { registry: string; mcp: string } => ({
  registry: `registry.${domain}`,
  mcp: `mcp.${domain}`,
});

/** A token that says who the user is, and his teams as they are now. */
export function tokenFor({ accounts, credentials, settings }: ApiContext, user: User): string {
  const teams = accounts.teamsOf(user);
  const now = Math.floor(Date.now() / 1000);
  const [first] = teams;
  return sign(
    {
      iss: 'mcp-runtime',
      sub: user.id,
      aud: ['platform-api', 'runtime-api', 'analytics-api'],
      exp: now + settings.tokenSeconds,
      iat: now,
      email: user.email,
      role: user.role,
      ...(first === undefined ? {} : { namespace: first.namespace, teams }),
      allowed_namespaces: allowedNamespaces({ teams }),
      auth_type: 'platform_jwt',
    },
    credentials.secret,
  );
}
