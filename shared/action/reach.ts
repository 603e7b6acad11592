import type { Override } from '../platform/overrides.js';
import type { ReachOptions } from '../platform/way.js';
import { proxiesOf } from './github.js';

interface ReachInputs {
  resolve: Override[];
  'dns-server': string;
  'ca-bundle': string;
}

/** How the inputs and the runner say that public names are reached. */
export function reachOf(inputs: ReachInputs, env: NodeJS.ProcessEnv): ReachOptions {
  const { resolve: overrides, 'dns-server': dnsServer, 'ca-bundle': caBundle } = inputs;
  return { overrides, dnsServer, caBundle, proxies: proxiesOf(env) };
}
