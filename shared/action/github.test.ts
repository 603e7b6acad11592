import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { repositoryOrigin } from './choice.js';
import { branchOf, defaultBranchOf, proxiesOf, runContext, warnOfBranch } from './github.js';
import { hide } from './mask.js';

const folder = mkdtempSync(join(tmpdir(), 'mcprt-event-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('where an operation runs', () => {
  const origin = (env: NodeJS.ProcessEnv) => {
    const { repository, repositoryId } = runContext(env, 'example.com', 'mcprt', 'host-1');
    return [repository, repositoryId];
  };

  it.each<[string, NodeJS.ProcessEnv, string[]]>([
    ['on GitHub', { GITHUB_REPOSITORY: 'acme/platform', GITHUB_REPOSITORY_ID: '42' }, ['acme/platform', '42']],
    ['where nobody numbers repositories', { GITHUB_REPOSITORY: 'acme/x' }, ['acme/x', 'acme/x']],
    ['on a machine of its own', {}, ['local/host-1', 'local/host-1']],
  ])('has a name and an id that are never empty: %s', (_, env, expected) => {
    expect(origin(env)).toEqual(expected);
  });

  it.each(['(none)', 'rädda-mig', 'Mac mini', 'a/b', ''])(
    'that is a machine called %j can be restored from',
    (host) => {
      const { repositoryId } = runContext({}, 'example.com', 'mcprt', host);
      expect(repositoryOrigin.parse(repositoryId)).toMatch(/^local\/[^/\s]+$/);
    },
  );

  it.each([
    ['refs/heads/feature/x', 'feature/x'],
    ['refs/tags/main', undefined],
    ['refs/pull/7/merge', undefined],
    ['', undefined],
  ])('%s is of branch %s', (ref, branch) => {
    expect(branchOf({ GITHUB_REF: ref })).toBe(branch);
  });

  it.each<[string, string | undefined, string | undefined]>([
    ['says it', '{"repository":{"default_branch":"trunk"}}', 'trunk'],
    ['has no repository', '{"schedule":"* * * * *"}', undefined],
    ['has another form', '{"repository":{"default_branch":7}}', undefined],
    ['is no JSON', 'x', undefined],
    ['is not there', undefined, undefined],
  ])('learns the default branch from an event that %s', (_, text, expected) => {
    const path = join(folder, 'event.json');
    rmSync(path, { force: true });
    if (text !== undefined) writeFileSync(path, text);
    expect(defaultBranchOf({ GITHUB_EVENT_PATH: path })).toBe(expected);
    expect(defaultBranchOf({})).toBeUndefined();
  });

  it.each([
    ['refs/heads/trunk', 0],
    ['refs/heads/feature', 1],
    ['refs/tags/v1', 1],
  ])('warns of a backup on %s: %i times', (ref, times) => {
    const path = join(folder, 'event.json');
    writeFileSync(path, '{"repository":{"default_branch":"trunk"}}');
    const said: string[] = [];
    warnOfBranch({ GITHUB_REF: ref, GITHUB_EVENT_PATH: path }, (line) => said.push(line));
    warnOfBranch({ GITHUB_REF: ref }, (line) => said.push(line));
    expect(said).toHaveLength(times);
  });
});

describe('the proxies of a runner', () => {
  it.each(['http://me:first-of%2Fproxy@p.example:3128', 'me:second-of%2Fproxy@p.example:3128/'])(
    'have a password that is shown in no form: %s',
    (address) => {
      expect(proxiesOf({ HTTPS_PROXY: address }).https).toBe(address);
      const [, password = ''] = /me:(.*)@/.exec(address) ?? [];
      for (const form of [password, decodeURIComponent(password)]) expect(hide(`x ${form} y`)).toBe('x *** y');
    },
  );
});
