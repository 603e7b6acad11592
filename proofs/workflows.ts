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
    'the example workflows, byte by byte, under a workflow engine with environments and reviewers: deploy, reinstall, preview, backup and drill, each job with no more than its own secrets and permissions',
  async run(context) {
    const { folder, env, progress } = context;
    const engine = await startDocker({ folder: join(folder, 'docker'), env, progress });
    const docker = typeof engine === 'string' ? undefined : engine;
    if (typeof engine === 'string')
      progress(`  no Docker engine (${engine}): no deployment and no preview that builds images`);
    const stage: Stage = { context, docker, tools: await makeTools(context), scenes: [], problems: [] };
    try {
      const platform = await makePlatform(context);
      try {
        await deploys(stage, platform);
        if (docker !== undefined) await previews(stage, platform, docker);
      } finally {
        await platform.world.close();
      }
      await reinstalls(stage);
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
