import { join } from 'node:path';
import { McprtError } from '../../shared/errors.js';
import type { ModuleOptions } from './module-program.js';
import { buildReleased } from './released.js';

/** What an API server can keep its objects in: etcd, or SQLite behind kine, as in a k3s that nobody told otherwise. */
export const datastores = ['etcd', 'kine'] as const;
export type Datastore = (typeof datastores)[number];

/** Of the version that k3s 1.36.4 has. */
const kine = { name: 'kine', packages: ['github.com/k3s-io/kine'], version: 'v0.16.4', hasC: true };

/** @throws McprtError `lab-usage` */
export function datastoreOf(given: string): Datastore {
  const found = datastores.find((one) => one === given);
  if (found !== undefined) return found;
  throw new McprtError('lab-usage', {
    what: `there is no datastore "${given}"`,
    why: 'the lab has others',
    next: `choose one of ${datastores.join(', ')}`,
  });
}

/** @returns path of the program. @throws McprtError `lab-build` */
export async function buildKine(options: ModuleOptions): Promise<string> {
  return join(await buildReleased(kine, options), kine.name);
}

/** What kine opens its own database with. */
const kineDefaults =
  '_journal_mode=WAL&_busy_timeout=30000&_synchronous=NORMAL&_txlock=immediate&_stmt_cache_size=20&cache=shared';

/** How kine is started, without TLS, on a database below a folder. */
export function kineFlags(folder: string, client: string): string[] {
  const database = join(folder, 'kine.db');
  return [
    `--listen-address=tcp://${client}`,
    `--endpoint=sqlite://${database}?${kineDefaults}`,
    '--metrics-bind-address=0',
  ];
}
