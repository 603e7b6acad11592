import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isSpelling, spellingWithout } from './spelling.js';

const digest = createHash('sha256').update('plan').digest('hex');
const other = createHash('sha256').update('another plan').digest('hex');

describe('the spelling of a digest', () => {
  it('is the digest itself where nothing of it is masked', () => {
    expect(spellingWithout(digest, ['secret', ''], 1)).toBe(digest);
    expect(isSpelling(digest, digest)).toBe(true);
  });

  it('has no masked text in it, and is still one of that digest and of no other', () => {
    const hidden = [digest.slice(3, 9), digest.slice(20, 22), 'a'];
    const spelled = spellingWithout(digest, hidden, 1);
    for (const one of hidden) expect(spelled).not.toContain(one);
    expect([isSpelling(spelled, digest), isSpelling(spelled, other)]).toEqual([true, false]);
    expect(isSpelling('', digest)).toBe(false);
  });

  it('is another in each attempt of a run: GitHub masks what nobody here knows', () => {
    const spelled = [1, 2, 3].map((attempt) => spellingWithout(digest, [], attempt));
    expect(new Set(spelled).size).toBe(3);
    expect(spelled.every((one) => isSpelling(one, digest))).toBe(true);
  });

  it('is refused where each one holds what is masked', () => {
    expect(() => spellingWithout(digest, [...'0123456789abcdef'], 1)).toThrow(
      expect.objectContaining({ code: 'github-masked' }),
    );
  });
});
