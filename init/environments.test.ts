import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from '../lab/driver/folders.js';
import { callsIn, environmentsOf } from './environments.js';

const examples = ['backup.yml', 'deploy.yml', 'drill.yml', 'preview.yml', 'reinstall.yml', 'restore.yml'];
const textOf = (folder: string, name: string): Promise<string> => readFile(join(root, folder, name), 'utf8');

async function needsOf(example: string) {
  const calls = callsIn(await textOf('examples', example));
  const texts = calls.map(async ({ file, ...call }) => ({ text: await textOf('.github/workflows', file), ...call }));
  return environmentsOf(await Promise.all(texts));
}

describe('the environments of the workflows', () => {
  it('need what their jobs read, and no more', async () => {
    expect(await needsOf('reinstall.yml')).toEqual([
      {
        name: 'mcprt-wipe',
        secrets: ['KUBECONFIG', 'MCPRT_BACKUP_KEY'],
        variables: ['MCPRT_CLUSTER'],
        hasReviewers: true,
        isForEveryBranch: false,
        operation: 'wipe',
      },
      {
        name: 'mcprt-restore',
        secrets: ['KUBECONFIG', 'MCPRT_RESTORE_KEY'],
        variables: [],
        hasReviewers: true,
        isForEveryBranch: false,
        operation: 'install',
      },
    ]);
  });

  it('have no administrator where nothing is installed', async () => {
    const needs = await needsOf('restore.yml');
    expect(needs.map(({ name, secrets, hasReviewers, operation }) => [name, secrets, hasReviewers, operation])).toEqual(
      [
        ['mcprt-backup', ['MCPRT_BACKUP_KEY'], false, 'backup'],
        ['mcprt-restore', ['KUBECONFIG', 'MCPRT_RESTORE_KEY'], true, 'restore'],
      ],
    );
  });

  it('have only the secrets that the caller hands on', async () => {
    // The restore key is for deployments by setup, which the example does not make.
    const restore = (await needsOf('deploy.yml')).find(({ name }) => name === 'mcprt-restore');
    expect(restore?.secrets).toEqual(['KUBECONFIG']);
  });

  it.each(examples)('are told in the head of %s, with all that they need', async (example) => {
    const head = /^(?:#.*\n)+/.exec(await textOf('examples', example))?.[0].replace(/\n# /g, ' ') ?? '';
    for (const { name, secrets, variables, hasReviewers } of await needsOf(example)) {
      const [, told = ''] = new RegExp(`\`${name}\` \\(([^)]*)\\)`).exec(head) ?? [];
      const words = [...secrets, ...variables, ...(hasReviewers ? ['required reviewers'] : [])];
      for (const word of words) expect([name, told]).toEqual([name, expect.stringContaining(word)]);
    }
  });
});

describe('the secrets of jobs that may run by themselves', () => {
  it('read no backup but in a drill, which says what that means', async () => {
    for (const example of examples) {
      for (const { name, secrets, hasReviewers } of await needsOf(example)) {
        if (!hasReviewers && name !== 'mcprt-drill')
          expect([name, secrets]).not.toEqual([name, expect.arrayContaining(['MCPRT_RESTORE_KEY'])]);
      }
    }
  });
});
