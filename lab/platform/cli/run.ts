import { isRolledOut, waitUntil } from '../waits.js';
import type { Images } from '../workloads.js';
import type { Client } from './client.js';
import type { Console } from './console.js';
import type { Settings } from './settings.js';
import type { SetupOptions } from './setup-options.js';

/** What the steps of one `setup` share. */
export interface Run {
  options: SetupOptions;
  settings: Settings;
  console: Console;
  client: Client;
  env: NodeJS.ProcessEnv;
  /** The working directory, which must be the root of the source checkout. */
  folder: string;
  images: Images;
}

/** Waits for a workload as long as the installer does. @returns whether it came to have its replicas */
export function rolledOut(
  { client, options, settings }: Run,
  ref: { namespace: string; name: string },
  kind: Parameters<typeof isRolledOut>[1] = 'deployment',
): Promise<boolean> {
  return waitUntil(() => isRolledOut(client.cluster, kind, ref), options.waits.deployment, settings.pollMilliseconds);
}
