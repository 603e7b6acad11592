import { describe, expect, it } from '@jest/globals';
import {
  approvedPlan,
  backupName,
  expectedPlan,
  fingerprint,
  generationNumber,
  overridesOf,
  repositoryOrigin,
} from './choice.js';

const inputs = { generation: undefined, name: '', 'from-cluster': '', 'from-repository': '', allow: { older: false } };

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
    expect(overridesOf({ ...inputs, name: 'x', allow: { older: true } })).toEqual({ older: true, name: 'x' });
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

  it.each([
    [backupName, 'mcprt-backup-my-own.example.com-g00000041-r7.1'],
    [repositoryOrigin, '42'],
    [repositoryOrigin, 'local/host-1.example.com'],
    [repositoryOrigin, 'none'],
    [approvedPlan, 'ab'.repeat(32)],
  ])('takes %o as %s, and nothing', (type, value) => {
    expect([type.parse(value), type.parse('')]).toEqual([value, '']);
  });

  it.each([
    [fingerprint, '0b1e5a2c-3d4f-4a6b-8c7d-9e0f1a2b3c4d'],
    [backupName, 'mcprt-backup-a1b2c3d4e5f6a7b8c9.example.com-g00000041-r7.1'],
    [repositoryOrigin, 'local/vm-5f3c2b1a9e8d7c6b5a'],
    [approvedPlan, 'ab'.repeat(32)],
  ])('shows %o, which looks like a secret and is none', (type, value) => {
    expect([type.isPublic?.(value), type.isPublic?.('AGE-SECRET-KEY-1QQPQ9Z8Y7X6W5V4U3T2')]).toEqual([true, false]);
  });

  it.each([backupName, repositoryOrigin, approvedPlan])('takes no key that was put there by mistake', (type) => {
    for (const start of ['mcprt-backup-key-1.', 'mcprt-restore-key-1.', 'AGE-SECRET-KEY-1']) {
      expect(() => type.parse(`${start}${'eyJpZGVudGl0aWVzIjpb'.repeat(9)}`)).toThrow('another form');
    }
  });

  it('knows no plan from one that got lost', () => {
    expect([expectedPlan.parse('none'), expectedPlan.parse('ab'.repeat(32))]).toEqual(['', 'ab'.repeat(32)]);
    expect(() => expectedPlan.parse('')).toThrow('it is empty');
    expect(() => expectedPlan.parse('***')).toThrow('another form');
  });
});
