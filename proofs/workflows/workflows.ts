import { join } from 'node:path';
import { writeExampleServer } from '../../lab/platform/example-server.js';
import { withDocker } from '../support/docker.js';
import { isWanted, type Proof } from '../support/proof.js';
import { platformInUse } from '../world/parts.js';
import { inWorld } from '../world/world.js';
import { deploys } from './deploys.js';
import type { Story } from './play.js';
import { previews } from './previews.js';
import { reinstalls } from './reinstalls.js';
import { commitProfile, makeTools } from './repository.js';

export const workflows: Proof = {
  name: 'workflows',
  claim:
    'the example workflows, byte by byte, under a workflow engine with environments and reviewers: deploy, reinstall, preview, backup, drill, a first installation that is stopped and goes on, a new cluster in place of a lost one, each job with no more than its own secrets and permissions',
  run: (context) =>
    withDocker(context, async (docker, told) => {
      const story: Story = { context, docker, tools: await makeTools(context), scenes: [] };
      const parts = { deployments: () => deployments(story), reinstalls: () => reinstalls(story) };
      const wanted = Object.entries(parts).filter(([name]) => isWanted(context, name));
      // Two clusters and two repositories, which mostly wait. Neither may still run when Docker is stopped.
      const ends = await Promise.allSettled(wanted.map(([, run]) => run()));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      return { docker: told, scenes: story.scenes, criticalPath: story.path ?? [] };
    }),
};

/** Everything but installations, on a platform that is there: a rollout and a smoke test find what they need. */
function deployments(story: Story): Promise<void> {
  return inWorld(story.context, [...platformInUse, 'services', 'source'], async (world) => {
    await writeExampleServer(join(world.source, 'examples', 'workspace-assistant-mcp'));
    await commitProfile(world);
    await deploys(story, world);
    if (story.docker !== undefined) await previews(story, world, story.docker);
  });
}
