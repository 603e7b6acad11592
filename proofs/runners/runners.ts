import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import type { Environment } from '../../lab/engine/environments.js';
import type { KeySet } from '../../shared/backup/keys.js';
import { kinds } from '../../shared/cluster/objects.js';
import { keyCanaries } from '../support/canaries.js';
import { withDocker } from '../support/docker.js';
import { leakSearch } from '../support/leaks.js';
import { isWanted, type Proof } from '../support/proof.js';
import { play, type Story, searchLogs } from '../workflows/play.js';
import { type Init, madeIn, makeRepository, makeTools, type Repository } from '../workflows/repository.js';
import { platformInUse } from '../world/parts.js';
import { configuration } from '../world/services.js';
import { inWorld, type World } from '../world/world.js';
import { profileOnly } from './profile-only.js';
import { withoutDocker } from './without-docker.js';

const execute = promisify(execFile);

/** A fork of mcprt that the workflows call. */
const fork = 'acme/mcprt-fork@v1.2.3';
const labels = ['self-hosted', 'k3s'];
/** In the profile that git does not hold; nothing may show it. */
const password = 'not-a-password-of-staging';
const staging = `export MCP_PLATFORM_DOMAIN=staging.example.com\nexport MCP_PLATFORM_ADMIN_PASSWORD=${password}\n`;

export const runners: Proof = {
  name: 'runners',
  claim:
    'two platforms in one repository, which is a monorepo and calls a fork of mcprt: each with environments, keys and backups of its own; one on runners with labels of their own, with a folder for backups and a profile from a secret; a repository with a profile only, deployed from a private source elsewhere by an engine that reaches nothing of the runner; images by digest without Docker',
  run: (context) =>
    withDocker(context, async (docker, told) => {
      const story: Story = { context, docker, tools: await makeTools(context), scenes: [] };
      const parts = { monorepo: () => twoPlatforms(story), profile: () => withoutSource(story) };
      for (const [name, run] of Object.entries(parts)) if (isWanted(context, name)) await run();
      return { docker: told, scenes: story.scenes };
    }),
};

function twoPlatforms(story: Story): Promise<void> {
  return inWorld(story.context, ['platform'], async (world) => {
    const keys: Keys = new Map();
    const repository = await monorepo(story, world, keys);
    try {
      await backups(story, world, repository, keys);
    } finally {
      await repository.close();
    }
  });
}

function withoutSource(story: Story): Promise<void> {
  return inWorld(
    story.context,
    [...platformInUse, 'services', 'source'],
    async (world) => {
      await profileOnly(story, world);
      await withoutDocker(story, world);
    },
    { folder: join(story.context.folder, 'elsewhere') },
  );
}

const foldersOf = (world: World) => ({
  root: join(world.folder, 'monorepo'),
  store: join(world.folder, 'srv-backups'),
});
/** Those of each platform, by the prefix of its environments, when init has made them. */
type Keys = Map<string, KeySet>;

async function monorepo({ context, tools }: Story, world: World, keys: Keys): Promise<Repository> {
  const { root, store } = foldersOf(world);
  const kubeconfig = await readFile(world.kubeconfig, 'utf8');
  await mkdir(join(root, 'infra', 'envs'), { recursive: true });
  await execute('git', ['init', '--quiet', '--initial-branch=main'], { cwd: root });
  await execute('git', ['remote', 'add', 'origin', 'https://github.com/acme/platform'], { cwd: root });
  await writeFile(join(root, '.gitignore'), 'staging.env\n');
  await writeFile(join(root, 'infra', 'envs', 'production.env'), 'export MCP_PLATFORM_DOMAIN=example.com\n');
  const hidden = join(root, 'infra', 'envs', 'staging.env');
  await writeFile(hidden, staging);
  return makeRepository(context, tools, {
    folder: root,
    variables: {},
    uses: fork,
    async prepare(init: Init) {
      const common = ['--uses', fork, '--branch', 'main'];
      await init(...common, '--profile', 'infra/envs/production.env');
      await init(...common, '--profile', 'infra/envs/staging.env', '--prefix', 'staging');
      await rm(hidden);
      await ownRunner(root, store);
      const own = await madeIn(`${root}-mcprt-keys`);
      keys.set('mcprt', own).set('staging', await madeIn(`${root}-staging-mcprt-keys`));
      return own;
    },
    environments: () => environmentsOf(kubeconfig, keys),
  });
}

function environmentsOf(KUBECONFIG: string, keys: Keys): Record<string, Environment> {
  const onMain = { branches: ['main'] };
  return Object.fromEntries(
    [...keys].flatMap(([prefix, { backup, restore }]): [string, Environment][] => {
      const profile = prefix === 'staging' ? { MCPRT_PROFILE: staging } : {};
      const secrets = { KUBECONFIG, MCPRT_BACKUP_KEY: backup, ...profile };
      return [
        [`${prefix}-backup`, { secrets, ...onMain }],
        [
          `${prefix}-restore`,
          { secrets: { KUBECONFIG, MCPRT_RESTORE_KEY: restore, ...profile }, hasReviewers: true, ...onMain },
        ],
      ];
    }),
  );
}

/** What somebody with runners of their own changes in the workflows of one platform. */
async function ownRunner(root: string, store: string): Promise<void> {
  const folder = join(root, '.github', 'workflows');
  for (const name of (await readdir(folder)).filter((one) => /^staging-(?:backup|restore)\.yml$/.test(one))) {
    const file = join(folder, name);
    const document = parseDocument(await readFile(file, 'utf8'));
    const job = name.includes('backup') ? 'backup' : 'restore';
    document.deleteIn(['jobs', job, 'with', 'profile']);
    document.setIn(['jobs', job, 'with', 'runs-on'], JSON.stringify(labels));
    document.setIn(['jobs', job, 'with', 'directory'], store);
    if (job === 'backup') document.setIn(['jobs', job, 'with', 'stores'], 'directory');
    await writeFile(file, document.toString({ lineWidth: 0 }));
  }
}

async function backups(story: Story, world: World, repository: Repository, keys: Keys): Promise<void> {
  const { expect, expectSame } = story.context;
  const { github } = repository;
  const { store } = foldersOf(world);
  const hour = (prefix: string, more: object = {}) =>
    play(story, repository, `a backup of ${prefix}`, 'backup.yml', {
      event: 'schedule',
      jobs: [`backup@${prefix}-backup`],
      prefix,
      ...more,
    });
  const restored = (prefix: string, more: object = {}) =>
    play(story, repository, `a restore of ${prefix}`, 'restore.yml', {
      event: 'workflow_dispatch',
      jobs: [`list@${prefix}-backup`, `plan@${prefix}-restore`, `restore@${prefix}-restore`],
      prefix,
      ...more,
    });
  await hour('mcprt');
  const stored = github.artifacts().map(({ name }) => name);
  // The cluster counts the backups of both, as it is one here: a restore of the older one would be a step back.
  await restored('mcprt');
  expect(
    stored.length === 1 && stored[0]?.startsWith('mcprt-backup-example.com-') === true,
    `stored: ${stored.join()}`,
  );
  // The lab has one cluster: from here on it is that of staging, and says so.
  await world.cluster.patch(kinds.configMap, configuration, [
    { op: 'replace', path: '/data/MCP_PLATFORM_DOMAIN', value: 'staging.example.com' },
  ]);
  await hour('staging', { labels });
  expectSame('artifacts after a backup into a folder', github.artifacts().length, 1);
  const kept = await readdir(store);
  expect(
    kept.length === 1 && kept[0]?.startsWith('mcprt-backup-staging.example.com-') === true,
    `kept: ${kept.join()}`,
  );
  await restored('staging', { labels });
  const canaries = [...keys].flatMap(([prefix, own]) => keyCanaries(prefix, own));
  searchLogs(story, leakSearch([...canaries, { name: 'the profile’s password', value: password }]), repository);
}
