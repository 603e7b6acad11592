import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../shared/errors.js';
import { type ReleaseInput, releaseNotes } from './release-notes.js';

const good: ReleaseInput = {
  version: '1.2.0',
  packaged: '1.2.0',
  changelog: '# Changelog\n\n## 1.2.0 (2026-12-01)\n\n- New.\n\n## 1.1.0\n\n- Old.\n',
  tags: ['v1', 'v1.1.0', 'v2.0.0', ''],
};

function whyNot(change: Partial<ReleaseInput>): string {
  try {
    releaseNotes({ ...good, ...change });
  } catch (error) {
    if (error instanceof McprtError) return `${error.code}: ${error.why}`;
  }
  return 'released';
}

describe('the notes of a release', () => {
  it('are the section of the version, and nothing else', () => {
    expect(releaseNotes(good)).toBe('- New.');
  });

  it.each<[string, Partial<ReleaseInput>, string]>([
    ['a tag instead of a version', { version: 'v1.2.0' }, '"v1.2.0" is not MAJOR.MINOR.PATCH'],
    ['another version than the package', { packaged: '1.1.0' }, 'package.json says 1.1.0'],
    ['a version that was released', { tags: ['v1.2.0'] }, 'there is a tag v1.2.0'],
    ['a version behind a newer one of its major', { tags: ['v1.10.0'] }, 'there is a newer tag v1.10.0'],
    [
      'a changelog that ends before',
      { changelog: '# Changelog\n\n## 1.1.0\n\n- Old.\n' },
      'the newest section of CHANGELOG.md is "1.1.0"',
    ],
    [
      'a longer version in the changelog',
      { changelog: '# C\n\n## 1.2.01\n\n- x\n' },
      'the newest section of CHANGELOG.md is "1.2.01"',
    ],
    ['no section at all', { changelog: '# Changelog\n' }, 'the newest section of CHANGELOG.md is ""'],
    [
      'an empty section',
      { changelog: '# C\n\n## 1.2.0\n\n## 1.1.0\n\n- Old.\n' },
      'the section of 1.2.0 in CHANGELOG.md is empty',
    ],
  ])('are refused for %s', (_name, change, why) => {
    expect(whyNot(change)).toBe(`release-version: ${why}`);
  });
});
