import { describe, expect, it } from '@jest/globals';
import { inputTypes } from './inputs.js';

const commit = '5f3c2b1a9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b';

describe('the inputs', () => {
  it.each([commit, commit.slice(0, 7), `sha-${commit}`, `v1.2.3-${commit}`, 'latest', `main_${commit}`])(
    'show the tag %s',
    (tag) => {
      expect(inputTypes.tag.isPublic(tag)).toBe(true);
    },
  );

  it('hide what was put in place of a tag and looks like a secret', () => {
    expect(inputTypes.tag.isPublic('AGE-SECRET-KEY-1QQPQ9Z8Y7X6W5V4U3T2')).toBe(false);
    expect(inputTypes.tag.isPublic('ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8')).toBe(false);
  });
});
