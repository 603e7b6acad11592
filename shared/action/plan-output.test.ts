import { describe, expect, it } from '@jest/globals';
import { isSpelling } from '../spelling.js';
import { mask } from './mask.js';
import { planSpelling } from './plan-output.js';

const digest = '0123456789abcdef'.repeat(4);

describe('the output of a plan', () => {
  it('is the digest itself in a first attempt, and another spelling in the next', () => {
    const spelled = (env: NodeJS.ProcessEnv): string => planSpelling([], env)(digest);
    expect([spelled({}), spelled({ GITHUB_RUN_ATTEMPT: '1' })]).toEqual([digest, digest]);
    expect(spelled({ GITHUB_RUN_ATTEMPT: '2' })).not.toBe(digest);
    expect(spelled({ GITHUB_RUN_ATTEMPT: '5000' })).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has no line of a secret in it, however short, and none of what was masked on the way', () => {
    const spell = planSpelling(['apiVersion: v1\n  "ef"  \r\n'], {});
    mask('line one\n234567');
    const spelled = spell(digest);
    expect(spelled).not.toMatch(/ef|234567/);
    expect(isSpelling(spelled, digest)).toBe(true);
  });
});
