import { createHash } from 'node:crypto';
import { McprtError } from './errors.js';

/** How many spellings a digest has. */
const spellings = 1024;

/** A digest, written another way: the same plan, and other digits. @param n 0 for the digest itself */
function spelled(digest: string, n: number): string {
  return n === 0 ? digest : createHash('sha256').update(`${digest} ${n}`).digest('hex');
}

/** Whether a text is a spelling of a digest. */
export function isSpelling(text: string, digest: string): boolean {
  return Array.from({ length: spellings }, (_, n) => n).some((n) => spelled(digest, n) === text);
}

/**
 * Spells a digest so that none of some texts is in it. GitHub keeps the output of a job back when a part of it is
 * masked, and who approves would approve nothing.
 *
 * @param hidden what is masked
 * @param attempt of this run, from 1 on: each begins with another spelling, as GitHub masks what nobody here has seen
 * @throws McprtError `github-masked` when each spelling holds one of them
 */
export function spellingWithout(digest: string, hidden: readonly string[], attempt: number): string {
  const wanted = hidden.filter((one) => /^[0-9a-f]{1,64}$/.test(one));
  const first = Math.max(0, attempt - 1);
  for (let n = 0; n < spellings; n += 1) {
    const text = spelled(digest, (first + n) % spellings);
    if (!wanted.some((one) => text.includes(one))) return text;
  }
  throw new McprtError('github-masked', {
    what: 'the digest of the plan cannot be passed on',
    why: 'lines of the secrets of this step are single digits or letters from a to f: GitHub masks them, and keeps back every output that one of them is in',
    next: 'write the secrets without such lines (a kubeconfig as one line of JSON, a longer password), and plan again',
  });
}
