import { describe, expect, it } from '@jest/globals';
import { generationOf, isNameOf, nameFor } from './store.js';

const run = { runId: '7', runAttempt: '2' };

describe('the name of a backup', () => {
  it('is known again, with its generation', () => {
    for (const generation of [1, 41, 123_456_789]) {
      const name = nameFor('my-own.example.com', generation, run);
      expect([isNameOf(name, 'my-own.example.com'), generationOf(name)]).toEqual([true, generation]);
    }
  });

  it.each([
    'mcprt-backup-example.com-g00000001-r7.2-copy',
    'mcprt-backup-example.com-g1-r7.2',
    'mcprt-backup-example.com-g99999999999999999999-r7.2',
    'mcprt-backup-example.com-',
    'mcprt-backup-example.com-../../g00000001-r7.2',
  ])('%s is none, and claims no generation', (name) => {
    expect([isNameOf(name, 'example.com'), generationOf(name)]).toEqual([false, 0]);
  });

  it('is of its own domain only', () => {
    expect(isNameOf(nameFor('staging-example.com', 1, run), 'example.com')).toBe(false);
  });
});
