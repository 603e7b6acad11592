import { join } from 'node:path';
import { type ActionRun, defaultsOf, runBundle } from '../../lab/driver/action.js';
import { putImage } from '../../lab/platform/image.js';
import { changeService, commitFiles } from '../../lab/platform/source.js';
import { makeKeys } from '../../shared/backup/keys.js';
import { commitOf } from '../../shared/platform/source-commit.js';
import { labelsOf, recipeOf } from '../../shared/rollout/images.js';
import { presets } from '../../shared/rollout/targets.js';
import { type Gate, openGate } from '../gate.js';
import { withoutMasks } from '../leaks.js';
import type { ProofContext } from '../proof.js';
import { makeRolloutWorld, type RolloutWorld, registryHost } from '../rollout/world.js';

/** Where there is no Docker nothing can be built: each refusal comes before a build. */
const noDocker = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };

interface Scene {
  context: ProofContext;
  world: RolloutWorld;
  gate: Gate;
  /** Codes by what was tried. */
  refused: Record<string, string>;
  problems: string[];
}

/** Approvals of plans, with what differs from them: nothing is written. @returns the codes of the refusals */
export async function plans(context: ProofContext, problems: string[]): Promise<Record<string, string>> {
  const world = await makeRolloutWorld(context, 'split');
  const gate = await openGate(world.state);
  const scene: Scene = { context, world, gate, refused: {}, problems };
  try {
    await given(scene);
    await built(scene);
    await found(scene);
    await masked(scene);
    await setups(scene);
    await wiped(scene);
    return scene.refused;
  } finally {
    await gate.close();
    await world.close();
  }
}

/** Runs a step that must be refused, and looks whether it has written. */
async function refuse(
  { context, gate, refused, problems }: Scene,
  what: string,
  code: string,
  step: (kubeconfig: string) => Promise<ActionRun>,
): Promise<void> {
  gate.reset({});
  const run = await step(gate.kubeconfig);
  refused[what] = run.error ?? '';
  context.progress(`  ${what}: ${run.error ?? `ended with ${run.code}`}, ${gate.writes().length} writes`);
  if (run.error !== code)
    problems.push(`${what}: ${run.error} instead of ${code}\n${withoutMasks(run.log).slice(-2000)}`);
  if (gate.writes().length > 0) problems.push(`${what}: it wrote ${gate.writes().join(', ')}`);
}

/** A plan that must be made. @returns its digest */
async function planned({ world, problems }: Scene, inputs: Record<string, string>): Promise<string> {
  const run = await world.roll({ ...inputs, operation: 'plan' }, noDocker);
  const { plan = '' } = run.outputs;
  if (run.code !== 0 || plan === '') problems.push(`no plan: ${withoutMasks(run.log).slice(-2000)}`);
  return plan;
}

/** Images that were given by digest. */
async function given(scene: Scene): Promise<void> {
  const { world } = scene;
  const images = await world.pushAll();
  const plan = await planned(scene, { images });
  const other = await world.pushAll({ 'mcp-sentinel-ui': { exit: '0' } });
  const roll = (inputs: Record<string, string>) => (kubeconfig: string) =>
    world.roll({ kubeconfig, images, ...inputs });
  await refuse(scene, 'other images', 'rollout-plan-moved', roll({ images: other, 'expect-plan': plan }));
  await refuse(scene, 'an empty plan', 'input-invalid', roll({ 'expect-plan': '' }));
  await refuse(scene, 'a starred plan', 'input-invalid', roll({ 'expect-plan': '***' }));
  await refuse(
    scene,
    'another plan of a plan',
    'rollout-plan-moved',
    roll({ operation: 'plan', 'expect-plan': 'f'.repeat(64) }),
  );
}

/** Images that are to be built: what they are built from is bound. */
async function built(scene: Scene): Promise<void> {
  const { world } = scene;
  const inputs = { 'build-args': 'FLAVOUR=plain' };
  const plan = await planned(scene, inputs);
  const roll = (other: Record<string, string>) => (kubeconfig: string) =>
    world.roll({ kubeconfig, ...inputs, 'expect-plan': plan, ...other }, noDocker);
  await refuse(scene, 'another build argument', 'rollout-plan-moved', roll({ 'build-args': 'FLAVOUR=other' }));
  await refuse(scene, 'another tag', 'rollout-plan-moved', roll({ tag: 'other' }));
  const targets = presets.split
    .map(({ deployment, container }) => `${deployment}=${container}@services/ui/Dockerfile`)
    .join('\n');
  await refuse(scene, 'another Dockerfile', 'rollout-plan-moved', roll({ targets }));
  await refuse(scene, 'what was approved, and no Docker', 'docker-missing', roll({}));
  await changeService(world.source, 'ui', 'another commit');
  await refuse(scene, 'another commit', 'rollout-plan-moved', roll({}));
}

/** An image that is in the registry under the tag of the commit, with labels that anybody can compute. */
async function found(scene: Scene): Promise<void> {
  const { world, problems } = scene;
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
    const run = await world.roll({ operation: 'plan' }, noDocker);
    const result = JSON.parse(run.outputs.result ?? '{}') as { changes?: { to: string; field: string }[] };
    const ofImages = (result.changes ?? []).filter(({ field }) => field.startsWith('image of'));
    return `${ofImages.length} images change, ${ofImages.filter(({ to }) => to.endsWith('(to be built)')).length} are built`;
  };
  const before = await origins();
  const all = presets.split.length;
  if (before !== `${all} images change, ${all} are built`) problems.push(`planted images are taken: ${before}`);
  await refuse(scene, 'planted images, and no Docker', 'docker-missing', async (kubeconfig) =>
    world.roll({ kubeconfig, 'expect-plan': await planned(scene, {}) }, noDocker),
  );
  // The same images, rolled out: from now on the cluster has them by their digests.
  const rolledOut = await world.roll({ images });
  if (rolledOut.code !== 0) problems.push(`not rolled out: ${withoutMasks(rolledOut.log).slice(-2000)}`);
  const after = await origins();
  if (after !== '0 images change, 0 are built') problems.push(`what runs already is not found: ${after}`);
  const plan = await planned(scene, {});
  await put('moved');
  await refuse(scene, 'a tag that has moved', 'rollout-plan-moved', (kubeconfig) =>
    world.roll({ kubeconfig, 'expect-plan': plan }, noDocker),
  );
}

/** A digest of which a part is masked gets another spelling, which is taken for what it is. */
async function masked(scene: Scene): Promise<void> {
  const { world, problems } = scene;
  const images = await world.pushAll();
  const plain = await planned(scene, { images });
  const secret = plain.slice(10, 16);
  const spelled = await planned(scene, { images, 'github-token': secret });
  if (spelled.includes(secret)) problems.push('the digest of a plan holds what is masked');
  const run = await world.roll({ images, 'expect-plan': spelled });
  if (run.code !== 0) problems.push(`another spelling is not taken: ${withoutMasks(run.log).slice(-2000)}`);
  const again = await world.roll({ operation: 'plan', images }, { GITHUB_RUN_ATTEMPT: '2' });
  const first = await planned(scene, { images });
  if (again.outputs.plan === first) problems.push('another attempt spells a plan the same way');
  scene.refused['a masked part'] = 'spelled another way';
}

/** A setup, whose plan holds its source, profile and flags. */
async function setups(scene: Scene): Promise<void> {
  const { context, world, problems } = scene;
  const defaults = await defaultsOf('action-setup');
  const setup = (inputs: Record<string, string>): Promise<ActionRun> =>
    runBundle({
      entry: 'setup.js',
      folder: context.folder,
      defaults,
      inputs: {
        kubeconfig: world.state.kubeconfig,
        profile: join(world.folder, 'profile.env'),
        source: world.source,
        'ca-bundle': world.root,
        resolve: world.front.resolve.join('\n'),
        ...inputs,
      },
      env: { GITHUB_REPOSITORY: 'acme/platform', GITHUB_REPOSITORY_ID: '42', GITHUB_RUN_ID: '1', GITHUB_JOB: 'setup' },
    });
  // What stands in the way of an installation here is none of this: the plan is made before.
  const { plan = '' } = (await setup({ 'dry-run': 'true' })).outputs;
  if (plan === '') problems.push('a setup has no plan');
  const run = (inputs: Record<string, string>) => (kubeconfig: string) =>
    setup({ kubeconfig, 'expect-plan': plan, ...inputs });
  await refuse(scene, 'setup: an empty plan', 'input-invalid', run({ 'expect-plan': '' }));
  await refuse(scene, 'setup: another flag', 'setup-plan-moved', run({ 'setup-args': '--test-mode' }));
  await refuse(scene, 'setup: a dry run of another plan', 'setup-plan-moved', run({ 'dry-run': 'true', ingress: 'x' }));
  await commitFiles(world.source, { 'cmd/more.txt': 'more\n' }, 'Another commit');
  await refuse(scene, 'setup: another commit', 'setup-plan-moved', run({}));
}

/** After a wipe nothing is rolled out before the platform is installed again. */
async function wiped(scene: Scene): Promise<void> {
  const { context, world, problems } = scene;
  const images = await world.pushAll();
  const [defaults, keys] = await Promise.all([defaultsOf('action-backup'), makeKeys('classic')]);
  const run = await runBundle({
    entry: 'backup.js',
    folder: context.folder,
    defaults,
    inputs: {
      operation: 'wipe',
      kubeconfig: world.state.kubeconfig,
      profile: join(world.folder, 'profile.env'),
      confirm: 'example.com',
      'backup-key': keys.backup,
      stores: 'directory',
      directory: join(context.folder, 'backups'),
    },
    env: { GITHUB_REPOSITORY: 'acme/platform', GITHUB_REPOSITORY_ID: '42', GITHUB_RUN_ID: '7', GITHUB_JOB: 'wipe' },
  });
  if (run.code !== 0) problems.push(`not wiped: ${withoutMasks(run.log).slice(-2000)}`);
  await refuse(scene, 'a rollout between a wipe and its install', 'setup-due', (kubeconfig) =>
    world.roll({ kubeconfig, images }),
  );
}
