import { describe, expect, it } from '@jest/globals';
import { defaultRun, type Run } from './run.js';
import { READ, scopesOf, WRITE } from './scopes.js';

const REPOSITORY = { name: 'o/r', id: 1, defaultBranch: 'main', retentionDays: 90 };
const ALL = READ | WRITE;
const MAIN = 'refs/heads/main';

function scopes(run: Partial<Run>) {
  return scopesOf({ ...defaultRun(REPOSITORY), ...run }, REPOSITORY).map(({ scope, permission }) => [
    scope,
    permission,
  ]);
}

describe('scopesOf', () => {
  it.each<[string, Partial<Run>, [string, number][]]>([
    ['the default branch', {}, [[MAIN, ALL]]],
    [
      'a branch',
      { ref: 'refs/heads/x' },
      [
        ['refs/heads/x', ALL],
        [MAIN, READ],
      ],
    ],
    [
      'a tag',
      { ref: 'refs/tags/v1' },
      [
        ['refs/tags/v1', ALL],
        [MAIN, READ],
      ],
    ],
    [
      'a pull request',
      { ref: 'refs/pull/7/merge', baseRef: 'release' },
      [
        ['refs/pull/7/merge', ALL],
        ['refs/heads/release', READ],
        [MAIN, READ],
      ],
    ],
    [
      'a pull request to the default branch',
      { ref: 'refs/pull/7/merge', baseRef: 'main' },
      [
        ['refs/pull/7/merge', ALL],
        [MAIN, READ],
      ],
    ],
    ['an event of strangers', { event: 'issue_comment' }, [[MAIN, READ]]],
    ['a run after one of a fork', { event: 'workflow_run', isFromFork: true }, [[MAIN, READ]]],
    ['a run after one of the repository', { event: 'workflow_run' }, [[MAIN, ALL]]],
    ['mode read', { cacheMode: 'read' }, [[MAIN, READ]]],
    ['mode write-only', { ref: 'refs/heads/x', cacheMode: 'write-only' }, [['refs/heads/x', WRITE]]],
    ['mode none', { cacheMode: 'none' }, []],
  ])('of %s', (_, run, expected) => {
    expect(scopes(run)).toEqual(expected);
  });
});
