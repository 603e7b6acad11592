import type { Cluster } from '../cluster/cluster.js';
import type { ImageArchive } from '../images/archive.js';
import type { ApiCaller, PlatformApi } from '../platform/api.js';
import type { Web } from '../platform/web.js';
import type { Hosts } from '../profile/values.js';
import type { Check, CheckPorts } from './checks.js';
import type { Made } from './made.js';
import type { ServerWaits } from './servers.js';

/** Who the tests are on the platform. */
export interface SmokeIdentity {
  /** Slug of the team of the suite `tenant`, and the beginning of the others' (`SLUG-acme`). */
  teamPrefix: string;
  /** Domain of the users' addresses. */
  domain: string;
  password: string;
}

/** What every suite that goes through the platform's API needs. */
export interface SmokeContext extends CheckPorts {
  record: Check[];
  web: Web;
  hosts: Hosts;
  identity: SmokeIdentity;
  /** Finds the API, and whom to ask for what only an admin may. @throws McprtError */
  platform(): Promise<{ api: PlatformApi; admin: ApiCaller }>;
  /** The image, made once for all suites. @throws McprtError */
  image(): Promise<ImageArchive>;
  /** What tells the names of this run from those of any other. */
  run: string;
  /** How long a push may take, in ms. */
  pushLimit: number;
  /** How long a server may take to be there or gone, and a grant until it is known, in ms. */
  waits: { deploy: number; propagation: number };
  made: Made;
  /** Leaves the servers and grants where they are. */
  keep: boolean;
  /** For what only the cluster tells; undefined when no kubeconfig was given. */
  cluster: Cluster | undefined;
}

/** The agent that the tests call tools as. */
export const agent = 'mcprt-smoke';

/** The waits of one server. */
export function serverWaits({ waits, signal, progress }: SmokeContext): ServerWaits {
  return { deploy: waits.deploy, signal, progress };
}

/** Where a server is published. */
export function addressOf({ hosts }: SmokeContext, server: string): { host: string; path: string } {
  return { host: hosts.mcp, path: `/${server}/mcp` };
}

/** The address of somebody of a test's team. */
export function emailOf(slug: string, { domain }: SmokeIdentity): string {
  return `${slug}@${domain}`;
}

/** Waits for all, also for those that go on when one fails; then throws what the first of them threw. */
export async function together<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(work);
  return Promise.all(work) as unknown as Promise<T>;
}
