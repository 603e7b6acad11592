import { describe, expect, it } from '@jest/globals';
import {
  factsOf,
  previewEnvironment,
  previewName,
  pullRequestOf,
  repositoryMark,
  requireOwnCode,
  requireSameCommit,
} from './pull-request.js';

const repository = 'acme/platform';
const [head, other] = ['a'.repeat(40), 'b'.repeat(40)];
const own = (from: string | null, more: Record<string, unknown> = {}) => ({
  number: 7,
  state: 'open',
  head: { sha: head, repo: from === null ? null : { full_name: from } },
  ...more,
});
const run = (from: string, numbers: number[]) => ({
  workflow_run: {
    head_sha: head,
    head_repository: { full_name: from },
    pull_requests: numbers.map((number) => ({ number })),
  },
});

describe('the pull request of an event', () => {
  it('is the event’s own', () => {
    const wanted = { number: 7, headSha: head, isFork: false, isClosed: false };
    expect(pullRequestOf({ action: 'opened', pull_request: own(repository) }, repository, 0)).toEqual(wanted);
  });

  it('is the event’s own also when another number is given', () => {
    expect(pullRequestOf({ pull_request: own(repository) }, repository, 8).number).toBe(7);
  });

  it.each(['a-fork/platform', 'acme/platform2', null])('comes from a fork when its branch is in %s', (from) => {
    expect(pullRequestOf({ pull_request: own(from) }, repository, 0).isFork).toBe(true);
    expect(factsOf(own(from), repository).isFork).toBe(true);
  });

  it('is closed by the event that closes it, and by its state', () => {
    const closing = { action: 'closed', pull_request: own(repository) };
    expect(pullRequestOf(closing, repository, 0).isClosed).toBe(true);
    const labelled = { action: 'labeled', pull_request: own(repository, { state: 'closed' }) };
    expect(pullRequestOf(labelled, repository, 0).isClosed).toBe(true);
  });

  it('is the one that a workflow ran for, at the commit that it ran on', () => {
    const wanted = { number: 9, headSha: head, isFork: false, isClosed: false };
    expect(pullRequestOf(run(repository, [9]), repository, 0)).toEqual(wanted);
  });

  it('is the one that is given for the run of a fork, of which GitHub names none', () => {
    const wanted = { number: 8, headSha: head, isFork: true, isClosed: false };
    expect(pullRequestOf(run('a-fork/platform', []), repository, 8)).toEqual(wanted);
  });

  it('is the one that is given where no event has one', () => {
    const wanted = { number: 8, headSha: '', isFork: undefined, isClosed: false };
    expect(pullRequestOf({ inputs: {} }, repository, 8)).toEqual(wanted);
    expect(pullRequestOf(undefined, repository, 8)).toEqual(wanted);
  });

  it.each<unknown>([{}, undefined, [], run(repository, []), { pull_request: 7 }])('is not guessed: %j', (event) => {
    expect(() => pullRequestOf(event, repository, 0)).toThrow(
      expect.objectContaining({ code: 'preview-no-pull-request' }),
    );
  });
});

describe('what GitHub says of a pull request', () => {
  it('is its head, whose it is and whether it is closed', () => {
    expect(factsOf(own(repository), repository)).toEqual({ headSha: head, isFork: false, isClosed: false });
    expect(factsOf(own(repository, { state: 'closed' }), repository).isClosed).toBe(true);
  });

  it('counts as a fork’s when it says nothing', () => {
    expect(factsOf(undefined, repository)).toEqual({ headSha: '', isFork: true, isClosed: false });
  });
});

describe('a preview', () => {
  const event = { number: 7, headSha: head, isFork: undefined, isClosed: false };
  const facts = { headSha: head, isFork: false, isClosed: false };
  const attempt = (
    more: { headSha?: string; isFork?: boolean | undefined },
    found: Partial<typeof facts>,
    builds: boolean,
  ): void => {
    requireSameCommit({ ...event, ...more }, { ...facts, ...found });
    requireOwnCode({ ...event, ...more }, { ...facts, ...found }, { builds });
  };

  it('may build what is in the repository itself', () => {
    expect(() => attempt({}, {}, true)).not.toThrow();
    expect(() => attempt({ isFork: false }, {}, true)).not.toThrow();
  });

  it.each([
    ['the event', { isFork: true }, {}],
    ['GitHub', {}, { isFork: true }],
  ])('may not build code from a fork, and may take its image, when %s says so', (_, more, found) => {
    expect(() => attempt(more, found, true)).toThrow(expect.objectContaining({ code: 'preview-fork' }));
    expect(() => attempt(more, found, false)).not.toThrow();
  });

  it.each([other, ''])('is refused when the pull request is at another commit than the run: %s', (headSha) => {
    expect(() => attempt({}, { headSha }, false)).toThrow(expect.objectContaining({ code: 'preview-mismatch' }));
  });

  it('does not compare commits when the event tells none', () => {
    expect(() => attempt({ headSha: '' }, { headSha: other }, true)).not.toThrow();
  });
});

describe('the name of a preview', () => {
  it('is the same each time, and another for each repository, pull request and server', () => {
    const name = previewName(repository, 7, 'demo');
    expect(previewName(repository, 7, 'demo')).toBe(name);
    expect(name).toMatch(/^pr-7-demo-[0-9a-f]{5}$/);
    const others = [
      previewName('acme/other', 7, 'demo'),
      previewName(repository, 8, 'demo'),
      previewName(repository, 7, 'demo2'),
    ];
    expect(new Set([name, ...others]).size).toBe(4);
  });

  it('does not hang on how the repository is spelled', () => {
    expect(previewName('Acme/Platform', 7, 'demo')).toBe(previewName(repository, 7, 'demo'));
  });

  it.each([
    [7, 'x'.repeat(63)],
    [999_999, 'x'.repeat(63)],
    [7, `${'x'.repeat(50)}--y`],
    [7, `${'x'.repeat(52)}-${'y'.repeat(10)}`],
  ])('is no longer than a label may be, and has its mark: %d, %s', (number, server) => {
    const name = previewName(repository, number, server);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(name).toMatch(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/);
    expect(name.endsWith(`-${repositoryMark(repository)}`)).toBe(true);
    expect(name).not.toContain('--');
  });

  it('uses all of the room', () => {
    expect(previewName(repository, 7, 'x'.repeat(63))).toHaveLength(63);
  });

  it('is not that of its environment', () => {
    expect(previewEnvironment(7)).toBe('preview/pr-7');
  });
});
