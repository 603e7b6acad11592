import { describe, expect, it } from '@jest/globals';
import { ownersIn } from './code-owners.js';

describe('the owners of a workflow', () => {
  it.each([
    ['* @a', '@a'],
    ['/.github/ @a @b', '@a @b'],
    ['.github/workflows/ @a', '@a'],
    ['/.github/workflows/*.yml @a', '@a'],
    ['/.github/** @a', '@a'],
    ['**/workflows @a', '@a'],
    ['workflows/ @a', '@a'],
    ['*.yml @a # why', '@a'],
    ['* @a\n/.github/ @b', '@b'],
    ['/.github/ @a\n/.github/workflows/', ''],
    ['# /.github/ @a', ''],
    ['/docs/ @a', ''],
    ['/github/ @a', ''],
    ['/.github/* @a', ''],
    ['', ''],
  ])('by %j are %j', (text, owners) => {
    expect(ownersIn(text, '.github/workflows/mcprt-deploy.yml')).toBe(owners);
  });
});
