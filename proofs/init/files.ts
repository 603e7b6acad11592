import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from './case.js';
import { repositoryIn, textOf } from './world.js';

const workflows = join('.github', 'workflows');
const keysOf = (root: string): string => `${root}-mcprt-keys`;

/** What is in a repository already, and what it is called. */
export const files: readonly Case[] = [
  {
    name: 'line ends of Windows',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot);
      const change = async (): Promise<void> => {
        for (const name of await readdir(join(root, workflows))) {
          const text = await textOf(root, workflows, name);
          await writeFile(join(root, workflows, name), `\uFEFF${text.replaceAll('\n', '\r\n')}`);
        }
      };
      return { root, before: { args: [], change } };
    },
    says: ['mcprt-backup.yml: is there already'],
    hides: ['differs'],
  },
  {
    name: 'folder and dead link among the workflows',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot);
      await mkdir(join(root, workflows, 'parts'), { recursive: true });
      await symlink('nowhere', join(root, workflows, 'dead.yml'));
      return { root };
    },
    says: ['mcprt-backup.yml: written'],
  },
  {
    name: 'file for a folder',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot);
      await spot.write(join(root, '.github'), '');
      return { root };
    },
    refuses: 'init-write',
    says: ['move that file away'],
  },
  {
    name: 'folder for a workflow',
    async make(spot) {
      const root = await repositoryIn(spot);
      await mkdir(join(root, workflows, 'mcprt-drill.yml'), { recursive: true });
      return { root };
    },
    refuses: 'init-write',
  },
  {
    name: 'folder that is read-only',
    async make(spot) {
      const root = await repositoryIn(spot);
      await mkdir(join(root, '.github'));
      await chmod(join(root, '.github'), 0o555);
      // For root no folder is.
      return { root, env: { AS_NOBODY: 'yes' } };
    },
    refuses: 'init-write',
    says: ['writable for yourself'],
  },
  {
    name: 'workflow of somebody’s own',
    async make(spot) {
      const root = await repositoryIn(spot);
      await spot.write(join(root, workflows, 'mcprt-backup.yml'), 'name: our own\n');
      return { root };
    },
    says: ['mcprt-backup.yml: is there and differs: left alone. Move it away'],
    check: async ({ root }) =>
      (await textOf(root, workflows, 'mcprt-backup.yml')) === 'name: our own\n' ? '' : 'it was overwritten',
  },
  {
    name: 'blanks, quotes, umlauts and dashes',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot, {
        name: `-it's "our" plätform $(x) `,
        profile: `config/deployments/-our "prod" ü's.env`,
        isUnborn: true,
      });
      return { root };
    },
    says: [`config/deployments/-our "prod" ü's.env, for acme.dev`],
  },
  {
    name: 'new keys beside the old ones',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot);
      const change = async (): Promise<void> => undefined;
      return { root, before: { args: [], change }, args: ['--new-keys'] };
    },
    says: [
      '-mcprt-keys/old-1; none was deleted',
      '-mcprt-keys/old-1/offline.txt',
      'Only then delete the folder',
      '-mcprt-keys/old-1/restore.key | gh secret set MCPRT_RESTORE_KEY',
    ],
    async check({ root }) {
      const [old, now] = await Promise.all([keysOf(root), join(keysOf(root), 'old-1')].map((at) => readdir(at)));
      return old?.includes('restore.key') && now?.includes('restore.key') ? '' : 'a set of keys is missing';
    },
  },
  {
    name: 'new keys after the old ones were put away',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot);
      const change = (): Promise<void> => rm(keysOf(root), { recursive: true });
      return { root, before: { args: [], change }, args: ['--new-keys'] };
    },
    says: ['nothing was done with them', 'fetch the old restore key', '-mcprt-keys/old-restore.key; then cat '],
    hides: ['\ngh secret set MCPRT_RESTORE_KEY'],
  },
  {
    name: 'values of the template',
    quick: true,
    async make(spot) {
      const text =
        'export MCP_PLATFORM_DOMAIN=example.com\nexport MCP_ACME_EMAIL=ops@example.com\nexport GOOGLE_CLIENT_ID=<client-id>\n';
      return { root: await repositoryIn(spot, { text }) };
    },
    says: ['still holds values of the template: MCP_PLATFORM_DOMAIN, MCP_ACME_EMAIL, GOOGLE_CLIENT_ID'],
  },
  {
    name: 'backups in a registry and a bucket too',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot);
      for (const store of ['oci', 's3']) await spot.write(join(keysOf(root), `${store}-credentials`), 'user:word\n');
      return { root, args: ['--stores', 'cache,artifact,oci,s3'] };
    },
    says: ['gh variable set MCPRT_OCI --repo', 'gh secret set MCPRT_S3_CREDENTIALS --env mcprt-restore'],
  },
  {
    name: 'a store that no job has',
    async make(spot) {
      return { root: await repositoryIn(spot), args: ['--stores', 'directory'] };
    },
    refuses: 'init-stores',
  },
  {
    name: 'profile outside of the repository',
    async make(spot) {
      const root = await repositoryIn(spot);
      await spot.write(join(spot.folder, 'other.env'), 'export MCP_PLATFORM_DOMAIN=acme.dev\n');
      return { root, args: ['--profile', '../other.env'] };
    },
    refuses: 'init-profiles',
  },
];
