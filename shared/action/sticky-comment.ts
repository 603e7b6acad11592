import { githubError } from '../github-refusal.js';
import { isRecord } from '../json.js';
import { askGithub, type GithubApi, listGithub, ownAuthor } from './github-api.js';

/** GitHub refuses longer comments. */
const longest = 65_536;
const cutMark = '\n\n…shortened: the summary of the run has all of it.\n';

/**
 * Writes the one comment of a kind on a pull request: changes it where it is there, whoever else has commented.
 *
 * @param onlyChange makes none where none is there
 * @param marker tells the comment from others; it is not shown
 * @throws McprtError `github-comment`
 */
export async function writeStickyComment(
  api: GithubApi,
  pullRequest: number,
  { marker, markdown, onlyChange = false }: { marker: string; markdown: string; onlyChange?: boolean },
): Promise<void> {
  const mark = `<!-- mcprt: ${marker} -->`;
  const room = longest - mark.length - 1 - cutMark.length;
  const text = markdown.length > room ? `${beginning(markdown, room)}${cutMark}` : markdown;
  const body = `${mark}\n${text}`;
  try {
    const isOwn = await ownAuthor(api);
    const own = async (): Promise<number[]> =>
      (await listGithub(api, `/issues/${pullRequest}/comments`)).flatMap((comment) =>
        isRecord(comment) &&
        typeof comment.id === 'number' &&
        String(comment.body).startsWith(mark) &&
        isOwn(comment.user)
          ? [comment.id]
          : [],
      );
    const [first] = await own();
    if (first !== undefined) {
      await askGithub(api, 'PATCH', `/issues/comments/${first}`, { body });
      return;
    }
    if (onlyChange) return;
    await askGithub(api, 'POST', `/issues/${pullRequest}/comments`, { body });
    // Another run may have written its first one at the same moment: the older one stays.
    const [kept, ...others] = (await own()).sort((a, b) => a - b);
    if (kept === undefined || others.length === 0) return;
    await askGithub(api, 'PATCH', `/issues/comments/${kept}`, { body });
    for (const other of others) {
      // The other run does the same: it may be gone already.
      await askGithub(api, 'DELETE', `/issues/comments/${other}`).catch(() => undefined);
    }
  } catch (error) {
    throw githubError(error, {
      code: 'github-comment',
      what: `the comment on pull request ${pullRequest} cannot be written`,
      next: 'give the job `permissions: pull-requests: write`, or set `comment: false`',
    });
  }
}

/** As much of a text as fits: whole lines, but for a line that is most of it. */
function beginning(text: string, room: number): string {
  const lineEnd = text.lastIndexOf('\n', room);
  // Half of a character outside of the basic plane is none.
  return lineEnd > room / 2 ? text.slice(0, lineEnd) : text.slice(0, room).replace(/[\ud800-\udbff]$/, '');
}
