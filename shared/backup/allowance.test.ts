import { describe, expect, it } from '@jest/globals';
import { allowanceFor, isAllowed, parseAllowance } from './allowance.js';

describe('allow', () => {
  it.each([
    ['fewer-objects', { rule: 'fewer-objects' }],
    ['secret-missing:blog/old-blog', { rule: 'secret-missing', object: 'blog/old-blog' }],
    ['certificate-issuing:blog/*', { rule: 'certificate-issuing', object: 'blog/*' }],
    ['no-such-rule', undefined],
    ['secret-missing:', undefined],
    ['secret-missing:blog', undefined],
    ['secret-missing:*/x', undefined],
    ['secret-missing:blog/old*', undefined],
  ])('reads %s', (text, wanted) => {
    expect(parseAllowance(text)).toEqual(wanted);
  });

  it('covers all, a namespace, or one object by any of its names', () => {
    const names = ['blog/a', 'blog/b'];
    expect(isAllowed([{ rule: 'pair-mismatch' }], 'secret-missing', names)).toBe(false);
    expect(isAllowed([{ rule: 'secret-missing' }], 'secret-missing', names)).toBe(true);
    expect(isAllowed([{ rule: 'secret-missing', object: 'blog/b' }], 'secret-missing', names)).toBe(true);
    expect(isAllowed([{ rule: 'secret-missing', object: 'blog/*' }], 'secret-missing', names)).toBe(true);
    expect(isAllowed([{ rule: 'secret-missing', object: 'blo/*' }], 'secret-missing', names)).toBe(false);
    expect(isAllowed([{ rule: 'secret-missing', object: 'blog/c' }], 'secret-missing', names)).toBe(false);
  });

  it('is written as it is read', () => {
    expect(parseAllowance(allowanceFor('secret-missing', 'blog/a'))).toEqual({
      rule: 'secret-missing',
      object: 'blog/a',
    });
    expect(allowanceFor('nothing-to-back-up', undefined)).toBe('nothing-to-back-up');
    // What nobody could paste: of a Certificate that names no possible Secret, or of an anchor that somebody has changed.
    for (const odd of ['x', '/x', 'blog/My_Secret', 'a b/c']) {
      expect(allowanceFor('secret-missing', odd)).toBe('secret-missing');
    }
  });
});
