import { join } from 'node:path';
import { startDocker } from '../lab/driver/docker.js';
import type { Proof } from './proof.js';
import { deploys } from './workflows/deploys.js';
import { makePlatform } from './workflows/platform.js';
import { previews } from './workflows/previews.js';
import { reinstalls } from './workflows/reinstalls.js';
import { makeTools } from './workflows/repository.js';
import type { Stage } from './workflows/stage.js';

export const workflows: Proof = {
  name: 'workflows',
  claim:
    'the example workflows, byte by byte, under a workflow engine with environments and reviewers: deploy, reinstall, preview, backup, drill, a first installation that is stopped and goes on, a new cluster in place of a lost one, each job with no more than its own secrets and permissions',
  async run(context) {
    const { folder, env, progress } = context;
    const engine = await startDocker({ folder: join(folder, 'docker'), env, progress });
    const docker = typeof engine === 'string' ? undefined : engine;
    if (typeof engine === 'string')
      progress(`  no Docker engine (${engine}): no deployment and no preview that builds images`);
    const stage: Stage = { context, docker, tools: await makeTools(context), scenes: [], problems: [] };
    const parts = { deployments: () => deployments(stage), reinstalls: () => reinstalls(stage) };
    const wanted = Object.entries(parts).filter(([name]) => [undefined, name].includes(context.flags.only?.toString()));
    try {
      // Two clusters and two repositories, which mostly wait. Neither may still run when Docker is stopped.
      const ends = await Promise.allSettled(wanted.map(([, run]) => run()));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } finally {
      await docker?.stop();
    }
    const figures = {
      docker: typeof engine === 'string' ? `none: ${engine}` : 'images were built',
      scenes: stage.scenes,
    };
    return { ok: stage.problems.length === 0, figures, problems: stage.problems };
  },
};

/** Everything but installations, on a platform that is there. */
async function deployments(stage: Stage): Promise<void> {
  const platform = await makePlatform(stage.context);
  try {
    await deploys(stage, platform);
    if (stage.docker !== undefined) await previews(stage, platform, stage.docker);
  } finally {
    await platform.world.close();
  }
}
