import { describe, expect, it } from '@jest/globals';
import { chooseUses, refOf, usesIn, withUses } from './uses.js';

const clone = {
  remote: { host: 'github.com', repository: 'acme/mcprt' },
  tags: ['v1', 'v1.2.3'],
  branch: '',
  commit: 'c0ffee',
};
const calling = (uses: string): string => `jobs:\n  a:\n    uses: ${uses}\n`;

describe('the ref of a checkout', () => {
  it.each([
    [['v1', 'v1.2.3'], '', 'v1'],
    [['v9', 'v10'], '', 'v10'],
    [['v1.9.0', 'v1.10.0'], '', 'v1.10.0'],
    [['v1.2.3'], 'v1', 'v1'],
    [['v1.2.3'], 'main', 'v1.2.3'],
    [['nightly', ''], 'main', undefined],
    [[], '', undefined],
  ])('with tags %j on branch %j is %s', (tags, branch, expected) => {
    expect(refOf({ tags, branch })).toBe(expected);
  });
});

describe('what a flag names', () => {
  it.each([
    ['acme/mcprt@v1', true],
    ['acme/tools.mcprt@release/1.x', true],
    ['acme/mcprt@0123456789abcdef0123456789abcdef01234567', true],
    ['acme/mcprt', false],
    ['mcprt@v1', false],
    ['acme/mcprt@', false],
    ['acme/mcprt@v1 x', false],
    ['acme/mcprt@-v1', false],
    ['acme/mcprt@v1#x', false],
    ['acme/mcprt@a..b', false],
    ['github.com/acme/mcprt@v1', false],
  ])('as %s is a release: %s', (text, isOne) => {
    expect(usesIn(text) !== undefined).toBe(isOne);
  });
});

describe('the mcprt that is called', () => {
  it('is the one that is given, else the checkout’s, else that of the workflows that are there', () => {
    const called = (...args: Parameters<typeof chooseUses>): string => {
      const { repository, ref } = chooseUses(...args);
      return `${repository}@${ref}`;
    };
    const there = [calling('other/mcprt/.github/workflows/backup.yml@v2'), calling('x/y/.github/workflows/z.yml@v1')];
    expect(called('me/fork@v3', clone, there)).toBe('me/fork@v3');
    expect(called('', clone, there)).toBe('acme/mcprt@v1');
    expect(called('', undefined, there)).toBe('other/mcprt@v2');
    expect(called('', { ...clone, tags: [] }, there)).toBe('other/mcprt@v2');
  });

  it.each([
    ['a release of another form', 'acme/mcprt', clone, [], '--uses OWNER/mcprt@v1'],
    ['no checkout', '', undefined, [], '--uses OWNER/REPO@REF'],
    ['a checkout of no release', '', { ...clone, tags: [] }, [], '--uses acme/mcprt@c0ffee'],
    ['a checkout without a remote', '', { ...clone, remote: undefined }, [], '--uses OWNER/REPO@REF'],
    [
      'workflows that disagree',
      '',
      undefined,
      ['v1', 'v2'].map((ref) => calling(`o/mcprt/.github/workflows/backup.yml@${ref}`)),
      '--uses OWNER/REPO@REF',
    ],
  ])('is asked for where there is %s', (_, given, checkout, present, way) => {
    const refused = (): unknown => chooseUses(given, checkout, present);
    expect(refused).toThrow(expect.objectContaining({ code: 'init-uses', next: expect.stringContaining(way) }));
  });

  it('is written into an example, and nothing else is', () => {
    const text = `# org/mcprt/x@v1\n${calling('org/mcprt/.github/workflows/backup.yml@v1 # why')}      - uses: a/b@c\n`;
    expect(withUses(text, { repository: 'me/fork', ref: 'v3' })).toBe(
      `# org/mcprt/x@v1\n${calling('me/fork/.github/workflows/backup.yml@v3 # why')}      - uses: a/b@c\n`,
    );
  });
});
