import { join } from 'node:path';
import { applier } from '../../lab/platform/cert-manager.js';
import { makeCheckout } from '../../lab/platform/checkout.js';
import { writeExampleServer } from '../../lab/platform/example-server.js';
import { putImage } from '../../lab/platform/image.js';
import { commitFiles } from '../../lab/platform/source.js';
import { builtImages, sentinelWorkloads, workloadOf } from '../../lab/platform/workloads.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { ProofContext } from '../proof.js';
import { makeSmokeWorld, type SmokeWorld } from '../smoke/world.js';

/** A platform whose services' pods run what a registry has, and a checkout of its source as its team has it. */
export interface Platform {
  world: SmokeWorld;
  source: string;
}

const firstTag = 'first';
export const layout = 'split';

/** Brings a lab up on which both a rollout and a smoke test find what they need. */
export async function makePlatform(context: ProofContext): Promise<Platform> {
  const world = await makeSmokeWorld(context, layout);
  const registry = `registry.${world.domain}`;
  await Promise.all(builtImages(layout).analytics.map((name) => putImage(world.registry.url, name, firstTag)));
  const workloads = sentinelWorkloads(layout, { registry, tag: firstTag });
  const ofRollout = workloads.filter(({ kind, name }) => kind === 'deployment' && name.startsWith('mcp-'));
  await applier(world.cluster)(kinds.deployment, ...ofRollout.map((one) => workloadOf(one)[1]));
  const source = join(context.folder, 'platform');
  await makeCheckout(source, { installation: world.installation, domain: world.domain });
  await writeExampleServer(join(source, 'examples', 'workspace-assistant-mcp'));
  // The profile is ignored by git in the platform's source, and a team that deploys from it adds it all the same.
  await commitFiles(
    source,
    { '.gitignore': 'bin/\n', 'config/deployments/mcpruntime-org.env': profile(world.domain) },
    'Our profile',
  );
  return { world, source };
}

function profile(domain: string): string {
  return [
    `export MCP_PLATFORM_DOMAIN=${domain}`,
    `export MCP_PLATFORM_ADMIN_EMAIL=admin@${domain}`,
    `export MCP_REGISTRY_ENDPOINT=registry.${domain}`,
    'export MCP_IMAGE_PLATFORM=linux/amd64',
    'export PLATFORM_TEAM_TRAEFIK_WATCH=disabled',
    '',
  ].join('\n');
}
