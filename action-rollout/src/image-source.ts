import { log } from '../../shared/action/log.js';
import type { Target } from '../../shared/action/profile.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { textAt } from '../../shared/cluster/fields.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { dockerEnvironment, picked } from '../../shared/images/docker-environment.js';
import { registryPodRoute } from '../../shared/images/registry-pod.js';
import { publicRoute, type RegistryRoute } from '../../shared/images/route.js';
import type { ReachOptions } from '../../shared/platform/way.js';
import { given } from '../../shared/profile/values.js';
import { type ImageSource, openImages } from '../../shared/rollout/images.js';
import type { RolloutObservation } from '../../shared/rollout/observe.js';
import { registryUser } from '../../shared/rollout/wanted.js';
import type { RolloutInputs } from './inputs.js';

/** What the runner tells its actions about GitHub's cache, and buildx reads. */
const cacheVariables = [
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_RESULTS_URL',
  'ACTIONS_CACHE_URL',
  'ACTIONS_CACHE_SERVICE_V2',
];

/** The images of a rollout, wired to the runner and to the platform's registry. */
export function openImageSource({
  cluster,
  inputs,
  target,
  source,
  commit,
  sourceChanges,
  seen,
  signal,
  reach,
  progress,
  env,
}: {
  cluster: Cluster;
  inputs: RolloutInputs;
  target: Target;
  source: string;
  commit: string;
  sourceChanges: string;
  seen: RolloutObservation;
  signal: AbortSignal;
  reach: ReachOptions;
  progress: (line: string) => void;
  env: NodeJS.ProcessEnv;
}): ImageSource {
  const { values, hosts } = target;
  return openImages(
    {
      source,
      commit: inputs.images.length > 0 ? '' : commit,
      sourceChanges,
      tag: inputs.tag || (given(values, 'MCP_ROLLOUT_TAG') ?? ''),
      platform: given(values, 'MCP_IMAGE_PLATFORM') ?? nodePlatform(seen),
      buildArgs: inputs['build-args'],
      cacheEnv: inputs['build-cache'] === 'auto' ? picked(env, (name) => cacheVariables.includes(name)) : undefined,
      rebuild: inputs.rebuild,
      given: inputs.images,
      pullHost: given(values, 'MCP_REGISTRY_ENDPOINT') ?? (seen.config.MCP_REGISTRY_ENDPOINT || hosts.registry),
      deployments: seen.deployments,
    },
    {
      docker: {
        env: dockerEnvironment(env),
        signal,
        log: log.debug,
      },
      temporary: env.RUNNER_TEMP || '/tmp',
      openRoute: inputs['without-secrets']
        ? undefined
        : () =>
            openRoute(cluster, inputs['registry-access'], {
              host: hosts.registry,
              password: seen.registryPassword,
              reach,
              progress,
            }),
      progress,
      signal,
    },
  );
}

/** The processor of the nodes, where all have the same. */
function nodePlatform({ nodes }: RolloutObservation): string | undefined {
  const platforms = new Set(
    nodes.map((node) => {
      const architecture = textAt(node, 'status', 'nodeInfo', 'architecture');
      return architecture === ''
        ? undefined
        : `${textAt(node, 'status', 'nodeInfo', 'operatingSystem')}/${architecture}`;
    }),
  );
  const [only] = platforms;
  return platforms.size === 1 ? only : undefined;
}

async function openRoute(
  cluster: Cluster,
  access: RolloutInputs['registry-access'],
  {
    host,
    password,
    reach,
    progress,
  }: { host: string; password: string; reach: ReachOptions; progress: (line: string) => void },
): Promise<RegistryRoute> {
  if (access === 'port-forward') return registryPodRoute(cluster);
  const route = publicRoute(host, { username: registryUser, password }, reach);
  if (access === 'public') return route;
  try {
    const { status, body } = await route.request({ method: 'GET', path: '/v2/' });
    body.resume();
    if (status < 500) return route;
    throw new McprtError('registry-busy', { what: `${route.name} answers ${status}`, why: '', next: '' });
  } catch (error) {
    await route.close();
    progress(`${messageOf(error)}: going through the API server instead`);
    return registryPodRoute(cluster);
  }
}
