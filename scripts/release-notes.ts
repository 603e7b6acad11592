import { McprtError } from '../shared/errors.js';

/** What a release is made of. */
export interface ReleaseInput {
  /** The version that somebody asked for. */
  version: string;
  /** The version of package.json. */
  packaged: string;
  /** The text of CHANGELOG.md. */
  changelog: string;
  /** All tags of the repository. */
  tags: readonly string[];
}

const form = /^(\d+)\.(\d+)\.(\d+)$/;

/**
 * The notes of a release: its section of the changelog, which must be the newest one.
 *
 * @throws McprtError `release-version` where version, package.json, changelog and tags do not fit each other
 */
export function releaseNotes({ version, packaged, changelog, tags }: ReleaseInput): string {
  if (!form.test(version)) throw refused(`"${version}" is not MAJOR.MINOR.PATCH`, 'give a version such as 1.2.3');
  if (version !== packaged) {
    throw refused(
      `package.json says ${packaged}`,
      `set it by \`npm version ${version} --no-git-tag-version\`, and bundle again`,
    );
  }
  if (tags.includes(`v${version}`))
    throw refused(`there is a tag v${version}`, 'releases are never replaced: take the next version');
  const newer = tags.flatMap((tag) => (isNewer(tag.replace(/^v/, ''), version) ? [tag] : []));
  if (newer.length > 0) throw refused(`there is a newer tag ${newer[0]}`, 'the major tag would move backwards');
  const [, ...sections] = changelog.split(/^## /m);
  const [title = '', ...lines] = sections[0]?.split('\n') ?? [];
  if (title.split(' ')[0] !== version) {
    throw refused(`the newest section of CHANGELOG.md is "${title}"`, `write a section "## ${version}" above it`);
  }
  const notes = lines.join('\n').trim();
  if (notes === '') throw refused(`the section of ${version} in CHANGELOG.md is empty`, 'say what changes for users');
  return notes;
}

function isNewer(tag: string, version: string): boolean {
  const [one, other] = [form.exec(tag), form.exec(version)];
  if (one === null || other === null || one[1] !== other[1]) return false;
  const [a = 0, b = 0] = [one, other].map(([, , minor, patch]) => Number(minor) * 1e6 + Number(patch));
  return a > b;
}

function refused(why: string, next: string): McprtError {
  return new McprtError('release-version', { what: 'this cannot be released', why, next });
}
