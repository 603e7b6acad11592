import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { planInit, type Templates } from './plan.js';
import type { Facts } from './repository-facts.js';
import { facts, profile } from './testing/facts.js';

const backupKey = `\${{ secrets.MCPRT_BACKUP_KEY }}`;

const example = (name: string): string =>
  [
    '# What it does on main.',
    `name: mcprt ${name}`,
    'on:',
    '  push:',
    '    branches: [main]',
    'jobs:',
    '  one:',
    `    uses: org/mcprt/.github/workflows/${name}.yml@v1`,
    '    secrets:',
    `      MCPRT_BACKUP_KEY: ${backupKey}`,
    '',
  ].join('\n');
const names = ['backup', 'deploy', 'drill', 'reinstall', 'restore', 'preview-build', 'preview'];
const templates: Templates = {
  examples: new Map(names.map((name) => [`${name}.yml`, example(name)])),
  called: new Map([['backup.yml', `jobs: {one: {environment: mcprt-backup, steps: [{with: {key: "${backupKey}"}}]}}`]]),
};
const filesFor = (change: Partial<Facts>): string[] =>
  planInit({ ...facts, ...change }, templates).files.map(({ name, state }) => `${name} ${state}`);

describe('the workflows of a repository', () => {
  it('are all that a platform needs, where its source is', () => {
    expect(filesFor({})).toEqual([
      'mcprt-backup.yml new',
      'mcprt-deploy.yml new',
      'mcprt-drill.yml new',
      'mcprt-reinstall.yml new',
      'mcprt-restore.yml new',
    ]);
  });

  it('look after backups where there is a profile only', () => {
    expect(filesFor({ hasPlatform: false })).toEqual([
      'mcprt-backup.yml new',
      'mcprt-drill.yml new',
      'mcprt-restore.yml new',
    ]);
  });

  it('deploy from a source elsewhere, also when that is not said again', () => {
    const source = { repository: 'acme/mcp-runtime', ref: 'v1.4.0' };
    const { files } = planInit({ ...facts, hasPlatform: false }, templates, { source });
    const given = files.map(({ name, text }) => [name, parse(text).jobs.one.with]);
    const elsewhere = { 'source-repository': 'acme/mcp-runtime', 'source-ref': 'v1.4.0' };
    expect(Object.fromEntries(given)).toEqual({
      'mcprt-backup.yml': undefined,
      'mcprt-deploy.yml': elsewhere,
      'mcprt-drill.yml': undefined,
      'mcprt-reinstall.yml': elsewhere,
      'mcprt-restore.yml': undefined,
    });
    const present = new Map(files.map(({ name, text }) => [name, text]));
    expect(filesFor({ hasPlatform: false, present })).toContain('mcprt-deploy.yml same');
  });

  it('keep backups where it is said, and have the secrets of these stores', () => {
    const handing = example('backup').replace('    secrets:\n', `    secrets:\n      MCPRT_S3_CREDENTIALS: x\n`);
    const withSecret = {
      examples: new Map([['backup.yml', handing]]),
      called: new Map([
        ['backup.yml', `jobs: {one: {environment: e, steps: [{with: {key: "\${{ secrets.MCPRT_S3_CREDENTIALS }}"}}]}}`],
      ]),
    };
    const { files, environments } = planInit(facts, withSecret, { stores: 'artifact,s3' });
    expect(parse(files[0]?.text ?? '').jobs.one.with).toEqual({ stores: 'artifact,s3' });
    expect(environments.map(({ secrets }) => secrets)).toEqual([['MCPRT_S3_CREDENTIALS']]);
    const present = new Map([['mcprt-backup.yml', files[0]?.text ?? '']]);
    expect(planInit({ ...facts, present }, withSecret).environments).toEqual(environments);
    expect(planInit(facts, withSecret).environments[0]?.secrets).toEqual([]);
  });

  it('run on the runners that are said, previews as well', () => {
    const { files } = planInit({ ...facts, hasServer: true }, templates, { runsOn: '["self-hosted","k3s"]' });
    expect(files.map(({ text }) => parse(text).jobs.one.with)).toEqual(
      files.map(() => ({ 'runs-on': '["self-hosted","k3s"]' })),
    );
  });

  it('are the same where somebody has given them more, and others where that is another platform', () => {
    const edited = (line: string) =>
      planInit(
        { ...facts, present: new Map([['mcprt-backup.yml', `${example('backup')}    with:\n      ${line}\n`]]) },
        templates,
      ).files[0]?.state;
    expect(edited('directory: /srv/backups')).toBe('same');
    expect(edited('keep: "30"')).toBe('same');
    expect(edited('profile: other.env')).toBe('kept');
  });

  it.each([
    [
      'with its wishes',
      {
        stores: 'artifact,s3',
        runsOn: 'k3s',
        source: { repository: 'acme/mcp-runtime', ref: 'v1' },
        install: true,
      },
    ],
    ['without any', {}],
  ])('are the same when it is run again %s, which nobody says twice', (_, wishes) => {
    const { files } = planInit(facts, templates, wishes);
    const relaid = (text: string): string => `# edited\n${text.replace('branches: [main]', 'branches:\n      - main')}`;
    const present = new Map(files.map(({ name, text }) => [name, relaid(text)]));
    const again = planInit({ ...facts, present }, templates).files;
    expect(again.map(({ state }) => state)).toEqual(files.map(() => 'same'));
    const other = planInit({ ...facts, present }, templates, { stores: 'oci' }).files;
    expect(other.map(({ state }) => state)).toEqual(files.map(() => 'kept'));
  });

  it('make previews where an MCP server is', () => {
    expect(filesFor({ profile: undefined, hasPlatform: false, hasServer: true })).toEqual([
      'mcprt-preview-build.yml new',
      'mcprt-preview.yml new',
    ]);
  });

  it('are none where there is neither', () => {
    expect(filesFor({ profile: undefined, hasPlatform: true })).toEqual([]);
  });

  it('leave alone what is there already', () => {
    const present = new Map([
      ['mcprt-backup.yml', example('backup')],
      ['mcprt-deploy.yml', 'name: our own'],
    ]);
    expect(filesFor({ present })).toEqual([
      'mcprt-backup.yml same',
      'mcprt-deploy.yml kept',
      'mcprt-drill.yml new',
      'mcprt-reinstall.yml new',
      'mcprt-restore.yml new',
    ]);
  });

  it('are the examples byte by byte on branch main with the usual profile', () => {
    const [backup] = planInit(facts, templates).files;
    expect(backup?.text).toBe(example('backup'));
  });

  it('are for the branch and the profile that the repository has', () => {
    const other = { ...facts, branch: 'trunk', profile: { ...profile, path: 'config/deployments/acme.env' } };
    const [backup] = planInit(other, templates).files;
    expect(backup?.text).toMatch(/^# What it does on trunk\.\n/);
    expect(parse(backup?.text ?? '')).toMatchObject({
      on: { push: { branches: ['trunk'] } },
      jobs: { one: { with: { profile: 'config/deployments/acme.env' } } },
    });
  });

  it('are for a branch of any name, which a filter takes for itself', () => {
    const [backup] = planInit({ ...facts, branch: "v1+[x]!$&'" }, templates).files;
    expect(parse(backup?.text ?? '')).toMatchObject({ on: { push: { branches: ["v1\\+\\[x\\]\\!$&'"] } } });
    expect(backup?.text).toMatch(/^# What it does on v1\+\[x\]!\$&'\.\n/);
  });

  it('run the installer where it is asked for, and its plan may look at more', () => {
    const withCalled = {
      ...templates,
      called: new Map([['deploy.yml', 'jobs: {one: {environment: mcprt-plan, steps: []}}']]),
    };
    const first = planInit(facts, withCalled, { install: true });
    const text = first.files.find(({ name }) => name === 'mcprt-deploy.yml')?.text ?? '';
    expect(parse(text)).toMatchObject({
      jobs: {
        one: {
          with: { apply: 'setup', suite: 'health' },
          secrets: { MCPRT_RESTORE_KEY: `\${{ secrets.MCPRT_RESTORE_KEY }}` },
        },
      },
    });
    expect([first.installs, first.environments[0]?.operation]).toEqual([true, 'setup-plan']);
    const again = planInit({ ...facts, present: new Map([['mcprt-deploy.yml', text]]) }, withCalled);
    expect([again.installs, again.environments[0]?.operation]).toEqual([true, 'setup-plan']);
    expect(again.files.find(({ name }) => name === 'mcprt-deploy.yml')?.state).toBe('same');
    expect(planInit(facts, withCalled).environments[0]?.operation).toBe('rollout-plan');
  });

  it('are read where they are there already, and it is said which one cannot be', () => {
    const present = new Map([['mcprt-deploy.yml', 'jobs: [']]);
    expect(() => planInit({ ...facts, present }, templates)).toThrow(
      '.github/workflows/mcprt-deploy.yml cannot be read',
    );
  });

  it('say which environments they need, and whether keys are to be made', () => {
    const { environments, needsKeys } = planInit(facts, templates);
    expect(environments.map(({ name, secrets }) => [name, secrets])).toEqual([['mcprt-backup', ['MCPRT_BACKUP_KEY']]]);
    expect(needsKeys).toBe(true);
    const server = { ...facts, profile: undefined, hasPlatform: false, hasServer: true };
    expect(planInit(server, templates).needsKeys).toBe(false);
  });
});
