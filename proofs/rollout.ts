import { join } from 'node:path';
import type { ActionRun } from '../lab/driver/action.js';
import type { Layout } from '../lab/platform/names.js';
import { changeService, services } from '../lab/platform/source.js';
import { numberAt, recordsAt, textAt } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { isRecord, parsedJson } from '../shared/json.js';
import { canariesOf } from './support/canaries.js';
import { type Docker, withDocker } from './support/docker.js';
import { round1, sum } from './support/figures.js';
import { searchRuns } from './support/leaks.js';
import type { Proof, ProofContext } from './support/proof.js';
import { resultOf } from './support/runs.js';
import type { Inputs } from './world/actions.js';
import { inWorld, type World as WorldOf } from './world/world.js';

type World = WorldOf<'services' | 'front' | 'source' | 'github'>;

/** What one run of action-rollout came to. */
interface Played {
  layout: Layout;
  scene: string;
  images: 'built' | 'by digest';
  way: string;
  changes: number;
  writes: number;
  seconds: number;
}

interface Story {
  context: ProofContext;
  world: World;
  scenes: Played[];
}

/** What a run is to come to. */
type Expected = Pick<Played, 'images' | 'way'> & { changes: boolean };

export const rollout: Proof = {
  name: 'rollout',
  claim:
    'action-rollout in both layouts, with images that Docker builds and a real registry: the pods run the pushed digests, and a second run writes nothing',
  run: (context) =>
    withDocker(context, async (engine, told) => {
      const scenes: Played[] = [];
      let searched = 0;
      for (const layout of ['split', 'mono'] as const) {
        searched += await inWorld(
          context,
          ['services', 'front', 'source', 'github'],
          (world) => rollOut({ context, world, scenes }, engine),
          { layout, folder: join(context.folder, layout), github: { run: { permissions: deploymentsOnly } } },
        );
      }
      const again = scenes.filter(({ scene }) => scene.startsWith('again'));
      return {
        docker: told,
        layouts: [...new Set(scenes.map(({ layout }) => layout))],
        writesOfSecondRuns: sum(again.map(({ writes }) => writes)),
        filesSearchedForSecrets: searched,
        scenes,
      };
    }),
};

const deploymentsOnly = { actions: 'read', deployments: 'write' } as const;
const byDigest = { images: 'by digest', way: 'given' } as const;

/** Everything in one layout. @returns how many files were searched for secrets */
async function rollOut(story: Story, engine: Docker | undefined): Promise<number> {
  const { context, world } = story;
  await givenByDigest(story);
  // Architectures and GitHub's side are the same in both layouts: CI sees them in one.
  if (!context.small || world.layout === 'split') {
    await severalArchitectures(story);
    await deployments(story);
  }
  if (engine !== undefined) await built(story, engine);
  return searchRuns(context, await canariesOf(world), /docker-config/);
}

/** Runs a rollout and looks whether the cluster is as it says. */
async function play(
  { context, world, scenes }: Story,
  scene: string,
  inputs: Inputs,
  { changes, images, way }: Expected,
  env: Inputs = {},
): Promise<ActionRun> {
  const { layout } = world;
  const run = await world.rollout(inputs, env);
  const { outputs } = run;
  const writes = numberAt(resultOf(run), 'writes') ?? -1;
  const seconds = round1(run.seconds);
  scenes.push({ layout, scene, images, way, changes: Number(outputs.changes), writes, seconds });
  context.progress(`  ${layout}: ${scene}: ${outputs.changes} changes, ${writes} writes in ${seconds} s`);
  const { expect, expectDone, fail } = context.about(`${layout}: ${scene}`);
  expectDone('rollout', run);
  const isAsDue = changes ? writes >= 1 && outputs.changed === 'true' : writes === 0 && outputs.changed === 'false';
  expect(isAsDue, `${writes} writes, changed ${outputs.changed}`, run);
  for (const problem of await differences(world, run)) fail(problem, run);
  return run;
}

/** Where the pods do not run the digests that the run says it has pushed. */
async function differences({ cluster }: World, run: ActionRun): Promise<string[]> {
  const images = parsedJson(run.outputs.images ?? '');
  const { items } = await cluster.list(kinds.pod, { namespace: 'mcp-sentinel' });
  return Object.entries(isRecord(images) ? images : {}).flatMap(([name, reference]) => {
    const [deployment = '', container = ''] = name.split('/');
    const digest = /sha256:[0-9a-f]{64}$/.exec(String(reference))?.[0] ?? 'no digest';
    const pods = items.filter(
      ({ metadata }) => metadata.labels?.app === deployment && metadata.deletionTimestamp === undefined,
    );
    const statuses = pods.map((pod) => recordsAt(pod, 'status', 'containerStatuses'));
    const running = statuses.map((all) =>
      textAt(
        all.find((one) => one.name === container),
        'imageID',
      ),
    );
    return running.length > 0 && running.every((id) => id.endsWith(`@${digest}`))
      ? []
      : [`${deployment} runs ${running.join(', ') || 'nothing'} instead of ${digest}`];
  });
}

/** A plan of a rollout that must be made. @returns its digest */
async function planned({ context, world }: Story, inputs: Inputs, env: Inputs = {}): Promise<string> {
  const plan = await world.rollout({ ...inputs, operation: 'plan' }, env);
  context.expectDone(`${world.layout}: plan`, plan);
  context.expectSame(`${world.layout}: a plan changes the cluster`, plan.outputs.changed, 'false');
  return plan.outputs.plan ?? '';
}

async function givenByDigest(story: Story): Promise<void> {
  const images = await story.world.services.pushAll();
  const approved = { images, 'expect-plan': await planned(story, { images }) };
  await play(story, 'images given by digest, as planned', approved, { ...byDigest, changes: true });
  await play(story, 'again', { images }, { ...byDigest, changes: false });
}

/** Indexes, as buildx pushes them for several platforms: nodes tell the index's digest or that of their own image. */
async function severalArchitectures(story: Story): Promise<void> {
  const { context, world } = story;
  const { pushIndexes, snapshot } = world.services;
  const images = await pushIndexes(['arm64', 'amd64']);
  await play(story, 'images for two architectures', { images }, { ...byDigest, changes: true });
  const foreign = await pushIndexes(['arm64', 's390x']);
  const before = await snapshot();
  const run = await world.rollout({ images: foreign });
  const { expect, expectSame } = context.about(`${world.layout}: images without the nodes’ architecture`);
  expect(run.code === 1, `exit code ${run.code}`, run);
  expectSame('what the cluster has', await snapshot(), before);
}

/** The input `environment`: a GitHub Deployment that follows the rollout, and one that fails with it. */
async function deployments(story: Story): Promise<void> {
  const { context, world } = story;
  const { github } = world;
  const { expect, expectRefused, expectSame } = context.about(world.layout);
  const inputs = { environment: 'production', 'github-token': github.token };
  const images = await world.services.pushAll();
  await play(story, 'told to GitHub', { ...inputs, images }, { ...byDigest, changes: true }, github.env);
  const broken = await world.services.pushAll({ 'mcp-sentinel-ui': { exit: '3' } });
  const failed = await world.rollout({ ...inputs, images: broken }, github.env);
  expect(failed.code === 1, `a broken image: exit code ${failed.code}`, failed);
  const told = github
    .deployments()
    .map(({ environment, sha, statuses }) => [environment, sha, ...statuses.map(({ state }) => state)].join(' '));
  const states = ['in_progress success', 'in_progress failure'];
  expectSame(
    'what GitHub was told',
    told,
    states.map((each) => `production ${github.run.sha} ${each}`),
  );
  const mute = { ...inputs, images, 'github-token': github.as({ permissions: {} }).token };
  expectRefused('without the permission', 'github-deployment', await world.rollout(mute, github.env));
}

async function built(story: Story, { env }: Docker): Promise<void> {
  const { context, world } = story;
  const images = 'built';
  for (const way of context.small && world.layout === 'mono' ? ['port-forward'] : ['public', 'port-forward']) {
    for (const service of services[world.layout]) await changeService(world.source, service, `${service} for ${way}`);
    const inputs = { 'registry-access': way, permissions: 'auto', 'build-args': 'FLAVOUR=plain' };
    const approved = { ...inputs, 'expect-plan': await planned(story, inputs, env) };
    await play(story, `built and pushed (${way}), as planned`, approved, { images, way, changes: true }, env);
    await play(story, `again (${way})`, inputs, { images, way, changes: false }, env);
  }
  // The same commit under a tag that was used before: code that runs is told by its digest.
  const changed = { images, way: 'auto', changes: true } as const;
  await play(story, 'a tag of one’s own', { tag: 'latest' }, changed, env);
  await changeService(world.source, services[world.layout][0] ?? '', 'changed, under the same tag');
  await play(story, 'the same tag, other code', { tag: 'latest' }, changed, env);
}
