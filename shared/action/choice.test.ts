import { describe, expect, it } from '@jest/globals';
import { generationNumber, overridesOf } from './choice.js';

const inputs = { generation: undefined, name: '', 'from-cluster': '', 'from-repository': '', allow: [] };

describe('the choice of a backup', () => {
  it('is the newest where nothing is named', () => {
    expect(overridesOf(inputs)).toEqual({ older: false });
  });

  it('is what is named', () => {
    expect(overridesOf({ ...inputs, generation: 7, 'from-cluster': 'c', 'from-repository': '43' })).toEqual({
      older: false,
      generation: 7,
      fromCluster: 'c',
      fromRepository: '43',
    });
    expect(overridesOf({ ...inputs, name: 'x', allow: ['older-backup'] })).toEqual({ older: true, name: 'x' });
  });

  it('is one', () => {
    expect(() => overridesOf({ ...inputs, generation: 7, name: 'x' })).toThrow(
      expect.objectContaining({ code: 'input-invalid' }),
    );
  });

  it.each([
    ['7', 7],
    ['g00000007', 7],
    ['', undefined],
  ])('takes %j as a generation', (text, expected) => {
    expect(generationNumber.parse(text)).toBe(expected);
  });

  it.each(['0', '-1', '1.5', 'newest', '1e3'])('takes no %j as one', (text) => {
    expect(() => generationNumber.parse(text)).toThrow('it is none');
  });
});
