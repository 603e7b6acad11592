import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { root } from '../lab/driver/folders.js';
import { planInit } from './plan.js';
import type { Facts } from './repository-facts.js';
import { facts, profile } from './testing/facts.js';
import { textsIn, workflowsOf } from './workflow-files.js';

const [examples, called] = await Promise.all([textsIn(join(root, 'examples')), textsIn(workflowsOf(root))]);
const staging = { ...profile, path: 'staging.env', domain: 'staging.example.com' };
const planned = (prefix: string, present: Facts['present'] = new Map()) =>
  planInit({ ...facts, profile: staging, hasServer: true, present }, { examples, called }, { prefix });

describe('a second platform of a repository', () => {
  it('has files, workflows, groups and environments of its own', () => {
    const { files, environments } = planned('staging');
    expect(files.map(({ name }) => name)).toContain('staging-deploy.yml');
    for (const { name, text } of files) {
      const own = text.split('\n').filter((line) => !/^\s*uses:/.test(line));
      expect([name, own.filter((line) => /\bmcprt-|`production`|`mcprt [a-z]|name: mcprt /.test(line))]).toEqual([
        name,
        [],
      ]);
      for (const job of Object.values<Record<string, unknown>>(parse(text).jobs)) {
        if (String(job.uses).includes('/mcprt/'))
          expect(job).toMatchObject({ with: { 'environment-prefix': 'staging' } });
      }
    }
    const names = environments.map(({ name }) => name);
    expect(names.filter((name) => name !== 'staging' && !name.startsWith('staging-'))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['staging', 'staging-backup', 'staging-restore', 'staging-preview']));
    const build = files.find(({ name }) => name === 'staging-preview-build.yml');
    const preview = files.find(({ name }) => name === 'staging-preview.yml');
    expect(parse(preview?.text ?? '').on.workflow_run.workflows).toEqual([parse(build?.text ?? '').name]);
  });

  it('has the rules and operations that the first one has', () => {
    const rulesOf = (prefix: string) =>
      planned(prefix).environments.map(({ name, ...rules }) => ({
        ...rules,
        name: name === prefix ? 'production' : name.replace(`${prefix}-`, 'mcprt-'),
      }));
    expect(rulesOf('staging')).toEqual(rulesOf('mcprt'));
  });

  it('leaves what the first one has, and is left by it', () => {
    const texts = (prefix: string): [string, string][] => planned(prefix).files.map(({ name, text }) => [name, text]);
    const both = new Map([...texts('mcprt'), ...texts('staging')]);
    for (const prefix of ['mcprt', 'staging']) {
      const { files, environments } = planned(prefix, both);
      expect(files.map(({ state }) => state)).toEqual(files.map(() => 'same'));
      expect(environments).toEqual(planned(prefix).environments);
    }
  });
});
