import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DockerEngine, startDocker } from '../lab/driver/docker.js';
import { changeService } from '../lab/platform/source.js';
import { makeKeys } from '../shared/backup/keys.js';
import type { Proof, ProofContext } from './proof.js';
import { snapshot } from './rollout/world.js';
import { userPassword } from './smoke/world.js';
import { makePlatform, type Platform } from './workflows/platform.js';
import { makeRepository, type PlayedWorkflow, type Repository } from './workflows/repository.js';

/** What one run of a workflow came to. */
interface Scene {
  scene: string;
  workflow: string;
  code: number | null;
  jobs: string[];
  seconds: number;
}

interface Stage {
  context: ProofContext;
  scenes: Scene[];
  problems: string[];
}

export const workflows: Proof = {
  name: 'workflows',
  claim:
    'the example workflows, byte by byte, under a workflow engine with environments and reviewers: deploy, reinstall, preview, backup and drill, each job with no more than its own secrets and permissions',
  async run(context) {
    const stage: Stage = { context, scenes: [], problems: [] };
    const { folder, env, progress } = context;
    const docker = await startDocker({ folder: join(folder, 'docker'), env, progress });
    if (typeof docker === 'string') {
      return {
        ok: false,
        figures: {},
        problems: [`the examples build images, and there is no Docker engine: ${docker}`],
      };
    }
    try {
      await onThePlatform(stage, docker);
    } finally {
      await docker.stop();
    }
    return { ok: stage.problems.length === 0, figures: { scenes: stage.scenes }, problems: stage.problems };
  },
};

async function onThePlatform(stage: Stage, docker: DockerEngine): Promise<void> {
  const { context } = stage;
  const [platform, keys] = await Promise.all([makePlatform(context), makeKeys('hybrid')]);
  const { world } = platform;
  const kubeconfig = await readFile(world.kubeconfig, 'utf8');
  const onMain = { branches: ['main'] };
  const repository = await makeRepository(context, {
    folder: platform.source,
    examples: ['backup.yml', 'deploy.yml'],
    variables: { MCPRT_RESOLVE: world.front.resolve.join('\n'), MCPRT_CA_BUNDLE: world.root },
    env: { DOCKER_HOST: docker.host, DOCKER_CONFIG: join(context.folder, 'docker-config') },
    environments: {
      'mcprt-plan': { secrets: { KUBECONFIG: kubeconfig } },
      'mcprt-approval': { hasReviewers: true, ...onMain },
      'mcprt-backup': { secrets: { KUBECONFIG: kubeconfig, MCPRT_BACKUP_KEY: keys.backup }, ...onMain },
      production: { secrets: { KUBECONFIG: kubeconfig }, ...onMain },
      'mcprt-smoke': { secrets: { MCP_ADMIN_KEY: world.adminKey, MCP_SMOKE_PASSWORD: userPassword }, ...onMain },
    },
  });
  try {
    await play(stage, repository, 'every night', 'backup.yml', { event: 'schedule' });
    await deployments(stage, platform, repository);
  } finally {
    await repository.close();
    await world.close();
  }
}

async function deployments(stage: Stage, { world, source }: Platform, repository: Repository): Promise<void> {
  const { problems } = stage;
  const state = async (): Promise<string> => JSON.stringify(await snapshot(world.cluster));
  const before = await state();
  await changeService(source, 'ui', 'a new dashboard');
  let seen = '';
  await play(stage, repository, 'a push to main', 'deploy.yml', {
    event: 'push',
    payload: { ref: 'refs/heads/main' },
    review: async () => {
      seen = await state();
      return true;
    },
  });
  if (seen !== before) problems.push('something was changed before the approval');
  if ((await state()) === before) problems.push('nothing was rolled out');
}

/** Runs an example and notes what came of it. */
async function play(
  { context, scenes, problems }: Stage,
  repository: Repository,
  scene: string,
  workflow: string,
  options: Parameters<Repository['run']>[1],
): Promise<PlayedWorkflow> {
  const run = await repository.run(workflow, options);
  scenes.push({ scene, workflow, code: run.code, jobs: run.jobs, seconds: Math.round(run.seconds * 10) / 10 });
  context.progress(
    `  ${scene}: ${workflow} ended with ${run.code} in ${run.seconds.toFixed(1)} s: ${run.jobs.join(', ')}`,
  );
  if (run.code !== 0) problems.push(`${scene}: exit code ${run.code}\n${run.log.slice(-6000)}`);
  return run;
}
