import { join } from 'node:path';
import type { ActionRun } from '../lab/driver/action.js';
import { type DockerEngine, startDocker } from '../lab/driver/docker.js';
import { startGithub } from '../lab/github/github.js';
import type { Layout } from '../lab/platform/names.js';
import { changeService, services } from '../lab/platform/source.js';
import { at, recordsAt, textAt } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { isRecord } from '../shared/json.js';
import { accessCanaries, clusterCanaries } from './canary/canaries.js';
import { filesBelow, leakSearch, withoutMasks } from './leaks.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { makeRolloutWorld, type RolloutWorld } from './rollout/world.js';

/** What one run of action-rollout came to. */
interface Scene {
  layout: Layout;
  scene: string;
  images: 'built' | 'by digest';
  way: string;
  changes: number;
  writes: number;
  seconds: number;
}

export const rollout: Proof = {
  name: 'rollout',
  claim:
    'action-rollout in both layouts, with images that Docker builds and a real registry: the pods run the pushed digests, and a second run writes nothing',
  async run(context) {
    const problems: string[] = [];
    const scenes: Scene[] = [];
    const engine = await startDocker({
      folder: join(context.folder, 'docker'),
      env: context.env,
      progress: context.progress,
    });
    if (typeof engine === 'string') context.progress(`  no Docker engine (${engine}): images by digest only`);
    let searched = 0;
    try {
      for (const layout of ['split', 'mono'] as const) {
        const world = await makeRolloutWorld(context, layout);
        try {
          await byDigest(context, world, scenes, problems);
          // Architectures and GitHub's side are the same in both layouts: CI sees them in one.
          if (!context.small || layout === 'split') {
            await severalArchitectures(context, world, scenes, problems);
            await deployments(context, world, scenes, problems);
          }
          if (typeof engine !== 'string') await built(context, world, engine, scenes, problems);
          searched += await searchLeaks(context, world, problems);
        } finally {
          await world.close();
        }
      }
    } finally {
      if (typeof engine !== 'string') await engine.stop();
    }
    return verdict(scenes, engine, searched, problems);
  },
};

type Expected = { changes: boolean; problems: string[]; scenes: Scene[]; images: Scene['images']; way: string };

/** Runs a rollout and looks whether the cluster is as it says. */
async function play(
  context: ProofContext,
  world: RolloutWorld,
  scene: string,
  inputs: Record<string, string>,
  env: Record<string, string>,
  { changes, problems, scenes, images, way }: Expected,
): Promise<ActionRun> {
  const run = await world.roll(inputs, env);
  const result: unknown = JSON.parse(run.outputs.result ?? '{}');
  const writes = Number(at(result, 'writes') ?? -1);
  scenes.push({
    layout: world.layout,
    scene,
    images,
    way,
    changes: Number(run.outputs.changes),
    writes,
    seconds: Math.round(run.seconds * 10) / 10,
  });
  context.progress(
    `  ${world.layout}: ${scene}: ${run.outputs.changes} changes, ${writes} writes in ${run.seconds.toFixed(1)} s`,
  );
  const fail = (what: string): void =>
    void problems.push(`${world.layout}: ${scene}: ${what}\n${withoutMasks(run.log).slice(-3000)}`);
  if (run.code !== 0) fail(`exit code ${run.code}`);
  if (changes ? writes < 1 || run.outputs.changed !== 'true' : writes !== 0 || run.outputs.changed !== 'false') {
    fail(`${writes} writes, changed ${run.outputs.changed}`);
  }
  for (const problem of await differences(world, run)) fail(problem);
  return run;
}

/** Where the pods do not run the digests that the run says it has pushed. */
async function differences({ cluster }: RolloutWorld, run: ActionRun): Promise<string[]> {
  const images: unknown = JSON.parse(run.outputs.images ?? '{}');
  const { items } = await cluster.list(kinds.pod, { namespace: 'mcp-sentinel' });
  return Object.entries(isRecord(images) ? images : {}).flatMap(([name, reference]) => {
    const [deployment = '', container = ''] = name.split('/');
    const digest = /sha256:[0-9a-f]{64}$/.exec(String(reference))?.[0] ?? 'no digest';
    const pods = items.filter(
      ({ metadata }) => metadata.labels?.app === deployment && metadata.deletionTimestamp === undefined,
    );
    const running = pods.map((pod) =>
      textAt(
        recordsAt(pod, 'status', 'containerStatuses').find((one) => one.name === container),
        'imageID',
      ),
    );
    return running.length > 0 && running.every((id) => id.endsWith(`@${digest}`))
      ? []
      : [`${deployment} runs ${running.join(', ') || 'nothing'} instead of ${digest}`];
  });
}

async function byDigest(
  context: ProofContext,
  world: RolloutWorld,
  scenes: Scene[],
  problems: string[],
): Promise<void> {
  const base = { problems, scenes, images: 'by digest' as const, way: 'given' };
  const images = await world.pushAll();
  const plan = await world.roll({ operation: 'plan', images });
  if (plan.code !== 0 || plan.outputs.changed !== 'false') problems.push(`plan: ${withoutMasks(plan.log)}`);
  const approved = { images, 'expect-plan': plan.outputs.plan ?? '' };
  await play(context, world, 'images given by digest, as planned', approved, {}, { ...base, changes: true });
  await play(context, world, 'again', { images }, {}, { ...base, changes: false });
}

/** Indexes, as buildx pushes them for several platforms: nodes tell the index's digest or that of their own image. */
async function severalArchitectures(
  context: ProofContext,
  world: RolloutWorld,
  scenes: Scene[],
  problems: string[],
): Promise<void> {
  const base = { problems, scenes, images: 'by digest' as const, way: 'given' };
  const images = await world.pushIndexes(['arm64', 'amd64']);
  await play(context, world, 'images for two architectures', { images }, {}, { ...base, changes: true });
  const foreign = await world.pushIndexes(['arm64', 's390x']);
  const before = JSON.stringify(await world.snapshot());
  const run = await world.roll({ images: foreign });
  if (run.code !== 1 || JSON.stringify(await world.snapshot()) !== before) {
    problems.push(`${world.layout}: images without the nodes’ architecture: ${withoutMasks(run.log).slice(-2000)}`);
  }
}

/** The input `environment`: a GitHub Deployment that follows the rollout, and one that fails with it. */
async function deployments(
  context: ProofContext,
  world: RolloutWorld,
  scenes: Scene[],
  problems: string[],
): Promise<void> {
  const github = await startGithub({ run: { permissions: { actions: 'read', deployments: 'write' } } });
  try {
    const inputs = { environment: 'production', 'github-token': github.token };
    const images = await world.pushAll();
    const base = { problems, scenes, images: 'by digest' as const, way: 'given' };
    await play(context, world, 'told to GitHub', { ...inputs, images }, github.env, { ...base, changes: true });
    const broken = await world.pushAll({ 'mcp-sentinel-ui': { exit: '3' } });
    const failed = await world.roll({ ...inputs, images: broken }, github.env);
    const told = github
      .deployments()
      .map(({ environment, sha, statuses }) => [environment, sha, ...statuses.map(({ state }) => state)].join(' '));
    const expected = ['in_progress success', 'in_progress failure'].map(
      (states) => `production ${github.run.sha} ${states}`,
    );
    if (failed.code !== 1 || JSON.stringify(told) !== JSON.stringify(expected)) {
      problems.push(`${world.layout}: GitHub was told ${told.join('; ')}\n${withoutMasks(failed.log).slice(-2000)}`);
    }
    const refused = await world.roll(
      { ...inputs, images, 'github-token': github.as({ permissions: {} }).token },
      github.env,
    );
    if (refused.error !== 'github-deployment')
      problems.push(`${world.layout}: without the permission: ${refused.error}`);
  } finally {
    await github.close();
  }
}

async function built(
  context: ProofContext,
  world: RolloutWorld,
  engine: DockerEngine,
  scenes: Scene[],
  problems: string[],
): Promise<void> {
  const env = { DOCKER_HOST: engine.host, DOCKER_CONFIG: join(context.folder, 'docker-config') };
  const images = 'built' as const;
  for (const way of context.small && world.layout === 'mono' ? ['port-forward'] : ['public', 'port-forward']) {
    const base = { problems, scenes, images, way };
    for (const service of services[world.layout]) await changeService(world.source, service, `${service} for ${way}`);
    const inputs = { 'registry-access': way, permissions: 'auto', 'build-args': 'FLAVOUR=plain' };
    const plan = await world.roll({ ...inputs, operation: 'plan' }, env);
    const approved = { ...inputs, 'expect-plan': plan.outputs.plan ?? '' };
    await play(context, world, `built and pushed (${way}), as planned`, approved, env, { ...base, changes: true });
    await play(context, world, `again (${way})`, inputs, env, { ...base, changes: false });
  }
  // The same commit under a tag that was used before: code that runs is told by its digest.
  const service = services[world.layout][0] ?? '';
  const base = { problems, scenes, images, way: 'auto' };
  await play(context, world, 'a tag of one’s own', { tag: 'latest' }, env, { ...base, changes: true });
  await changeService(world.source, service, 'changed, under the same tag');
  await play(context, world, 'the same tag, other code', { tag: 'latest' }, env, { ...base, changes: true });
}

/** Looks for the secrets of cluster and kubeconfig in everything that the runs wrote, and in what Docker keeps. */
async function searchLeaks({ folder }: ProofContext, world: RolloutWorld, problems: string[]): Promise<number> {
  const search = leakSearch([
    ...(await clusterCanaries(world.cluster)),
    ...(await accessCanaries(world.state.kubeconfig, [])),
  ]);
  const files = (await filesBelow(folder)).filter(({ path }) => /\/run-[0-9a-f]{8}\/|docker-config/.test(path));
  problems.push(...files.flatMap(({ path, text }) => search.in(text).map((name) => `${path} holds ${name}`)));
  return files.length;
}

function verdict(scenes: Scene[], engine: DockerEngine | string, searched: number, problems: string[]): Proven {
  const again = scenes.filter(({ scene }) => scene.startsWith('again'));
  return {
    ok: problems.length === 0,
    figures: {
      docker: typeof engine === 'string' ? `none: ${engine}` : 'images were built',
      layouts: [...new Set(scenes.map(({ layout }) => layout))],
      writesOfSecondRuns: again.reduce((sum, { writes }) => sum + writes, 0),
      filesSearchedForSecrets: searched,
      scenes,
    },
    problems,
  };
}
