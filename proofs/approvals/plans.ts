import type { ActionRun } from '../../lab/driver/action.js';
import { putImage } from '../../lab/platform/image.js';
import { changeService, commitFiles } from '../../lab/platform/source.js';
import { recordsAt, textAt } from '../../shared/cluster/fields.js';
import { commitOf } from '../../shared/platform/source-commit.js';
import { labelsOf, recipeOf } from '../../shared/rollout/images.js';
import { presets } from '../../shared/rollout/targets.js';
import type { ProofContext } from '../support/proof.js';
import { resultOf } from '../support/runs.js';
import type { Inputs } from '../world/actions.js';
import { registryHost } from '../world/registry.js';
import { inWorld, type World } from '../world/world.js';

/** Where there is no Docker nothing can be built: each refusal comes before a build. */
const noDocker = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };

interface Story {
  context: ProofContext;
  world: World<'services' | 'front' | 'source' | 'registry' | 'gate'>;
  /** Codes by what was tried. */
  refused: Record<string, string>;
}

/** Approvals of plans, with what differs from them: nothing is written. @returns the codes of the refusals */
export function plans(context: ProofContext): Promise<Record<string, string>> {
  return inWorld(context, ['services', 'front', 'source', 'registry', 'gate'], async (world) => {
    const story: Story = { context, world, refused: {} };
    await given(story);
    await built(story);
    await found(story);
    await masked(story);
    await setups(story);
    await wiped(story);
    return story.refused;
  });
}

/** Runs a step that must be refused, and looks whether it has written. */
async function refuse(
  { context, world: { gate }, refused }: Story,
  what: string,
  code: string,
  step: (kubeconfig: string) => Promise<ActionRun>,
): Promise<void> {
  gate.reset({});
  const run = await step(gate.kubeconfig);
  refused[what] = run.error ?? '';
  context.progress(`  ${what}: ${run.error ?? `ended with ${run.code}`}, ${gate.writes().length} writes`);
  context.expectRefused(what, code, run);
  context.expectSame(`${what}: it wrote`, gate.writes(), []);
}

/** A plan that must be made. @returns its digest */
async function planned({ world, context }: Story, inputs: Inputs): Promise<string> {
  const run = await world.rollout({ ...inputs, operation: 'plan' }, noDocker);
  const { plan = '' } = run.outputs;
  context.expect(run.code === 0 && plan !== '', 'no plan', run);
  return plan;
}

/** Images that were given by digest. */
async function given(story: Story): Promise<void> {
  const { world } = story;
  const images = await world.services.pushAll();
  const plan = await planned(story, { images });
  const other = await world.services.pushAll({ 'mcp-sentinel-ui': { exit: '0' } });
  const roll = (inputs: Record<string, string>) => (kubeconfig: string) =>
    world.rollout({ kubeconfig, images, ...inputs });
  await refuse(story, 'other images', 'rollout-plan-moved', roll({ images: other, 'expect-plan': plan }));
  await refuse(story, 'an empty plan', 'input-invalid', roll({ 'expect-plan': '' }));
  await refuse(story, 'a starred plan', 'input-invalid', roll({ 'expect-plan': '***' }));
  await refuse(
    story,
    'another plan of a plan',
    'rollout-plan-moved',
    roll({ operation: 'plan', 'expect-plan': 'f'.repeat(64) }),
  );
}

/** Images that are to be built: what they are built from is bound. */
async function built(story: Story): Promise<void> {
  const { world } = story;
  const inputs = { 'build-args': 'FLAVOUR=plain' };
  const plan = await planned(story, inputs);
  const roll = (other: Record<string, string>) => (kubeconfig: string) =>
    world.rollout({ kubeconfig, ...inputs, 'expect-plan': plan, ...other }, noDocker);
  await refuse(story, 'another build argument', 'rollout-plan-moved', roll({ 'build-args': 'FLAVOUR=other' }));
  await refuse(story, 'another tag', 'rollout-plan-moved', roll({ tag: 'other' }));
  const targets = presets.split
    .map(({ deployment, container }) => `${deployment}=${container}@services/ui/Dockerfile`)
    .join('\n');
  await refuse(story, 'another Dockerfile', 'rollout-plan-moved', roll({ targets }));
  await refuse(story, 'what was approved, and no Docker', 'docker-missing', roll({}));
  await changeService(world.source, 'ui', 'another commit');
  await refuse(story, 'another commit', 'rollout-plan-moved', roll({}));
}

/** An image that is in the registry under the tag of the commit, with labels that anybody can compute. */
async function found(story: Story): Promise<void> {
  const { world, context } = story;
  const commit = await commitOf(world.source);
  const options = { source: world.source, commit, sourceChanges: '', platform: 'linux/amd64', buildArgs: {} };
  const tag = commit.slice(0, 12);
  const put = async (what: string): Promise<string> => {
    const lines = await Promise.all(
      presets.split.map(async (target) => {
        const { deployment } = target;
        const digest = await putImage(world.registry.url, deployment, tag, {
          labels: { ...labelsOf(commit, await recipeOf(target, options)), what },
          architecture: 'amd64',
        });
        return `${deployment}=${registryHost}/${deployment}:${tag}@${digest}`;
      }),
    );
    return lines.join('\n');
  };
  const images = await put('planted');
  const origins = async (): Promise<string> => {
    const run = await world.rollout({ operation: 'plan' }, noDocker);
    const changes = recordsAt(resultOf(run), 'changes');
    const ofImages = changes.filter((one) => textAt(one, 'field').startsWith('image of'));
    const toBuild = ofImages.filter((one) => textAt(one, 'to').endsWith('(to be built)'));
    return `${ofImages.length} images change, ${toBuild.length} are built`;
  };
  const all = presets.split.length;
  context.expectSame('with planted images', await origins(), `${all} images change, ${all} are built`);
  await refuse(story, 'planted images, and no Docker', 'docker-missing', async (kubeconfig) =>
    world.rollout({ kubeconfig, 'expect-plan': await planned(story, {}) }, noDocker),
  );
  // The same images, rolled out: from now on the cluster has them by their digests.
  context.expectDone('the rollout of the planted images', await world.rollout({ images }));
  context.expectSame('with what runs already', await origins(), '0 images change, 0 are built');
  const plan = await planned(story, {});
  await put('moved');
  await refuse(story, 'a tag that has moved', 'rollout-plan-moved', (kubeconfig) =>
    world.rollout({ kubeconfig, 'expect-plan': plan }, noDocker),
  );
}

/** A digest of which a part is masked gets another spelling, which is taken for what it is. */
async function masked(story: Story): Promise<void> {
  const { world, context } = story;
  const images = await world.services.pushAll();
  const plain = await planned(story, { images });
  const secret = plain.slice(10, 16);
  const spelled = await planned(story, { images, 'github-token': secret });
  context.expect(!spelled.includes(secret), 'the digest of a plan holds what is masked');
  const run = await world.rollout({ images, 'expect-plan': spelled });
  context.expectDone('another spelling', run);
  const again = await world.rollout({ operation: 'plan', images }, { GITHUB_RUN_ATTEMPT: '2' });
  const first = await planned(story, { images });
  context.expect(again.outputs.plan !== first, 'another attempt spells a plan the same way');
  story.refused['a masked part'] = 'spelled another way';
}

/** A setup, whose plan holds its source, profile and flags. */
async function setups(story: Story): Promise<void> {
  const { context, world } = story;
  // What stands in the way of an installation here is none of this: the plan is made before.
  const { plan = '' } = (await world.setup({ 'dry-run': 'true' })).outputs;
  context.expect(plan !== '', 'a setup has no plan');
  const run = (inputs: Inputs) => (kubeconfig: string) => world.setup({ kubeconfig, 'expect-plan': plan, ...inputs });
  await refuse(story, 'setup: an empty plan', 'input-invalid', run({ 'expect-plan': '' }));
  await refuse(story, 'setup: another flag', 'setup-plan-moved', run({ 'setup-args': '--test-mode' }));
  await refuse(story, 'setup: a dry run of another plan', 'setup-plan-moved', run({ 'dry-run': 'true', ingress: 'x' }));
  await commitFiles(world.source, { 'cmd/more.txt': 'more\n' }, 'Another commit');
  await refuse(story, 'setup: another commit', 'setup-plan-moved', run({}));
}

/** After a wipe nothing is rolled out before the platform is installed again. */
async function wiped(story: Story): Promise<void> {
  const { context, world } = story;
  const images = await world.services.pushAll();
  const run = await world.backup('wipe', { confirm: world.domain }, { GITHUB_RUN_ID: '7', GITHUB_JOB: 'wipe' });
  context.expectDone('the wipe', run);
  const rollouts = {
    'a rollout': {},
    'a plan': { operation: 'plan' },
    'a plan of a pull request': { operation: 'plan', 'without-secrets': 'true' },
  };
  for (const [what, inputs] of Object.entries(rollouts)) {
    await refuse(story, `${what} between a wipe and its install`, 'setup-due', (kubeconfig) =>
      world.rollout({ kubeconfig, images, ...inputs }),
    );
  }
}
