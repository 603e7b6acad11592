import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import type { ApiCaller } from '../platform/api.js';
import { Made, type MadeThing, removeMade } from './made.js';

const thing = (kind: MadeThing['kind'], name: string): MadeThing => ({ kind, namespace: 'n', name });

/** An admin whose requests are kept, and who is refused some. */
function adminOf(refused: string, statusOfGet = 404): { admin: ApiCaller; asked: string[] } {
  const asked: string[] = [];
  const admin: ApiCaller = {
    async call(method, path) {
      asked.push(`${method} ${path}`);
      if (path === refused) throw new McprtError('smoke-server-error', { what: 'it failed', why: '500', next: '' });
      return { status: method === 'GET' ? statusOfGet : 200, body: {}, told: `${method} → ${statusOfGet}` };
    },
    person: () => Promise.reject(new Error('nobody')),
    forget: () => undefined,
  };
  return { admin, asked };
}

describe('what a run has made', () => {
  it('is told with every change, before anything else happens', () => {
    const told: string[][] = [];
    const made = new Made((things) => void told.push(things.map(({ name }) => name)), [thing('server', 'a')]);
    made.add(thing('grant', 'b'));
    made.drop(({ name }) => name === 'a');
    expect(told).toEqual([['a', 'b'], ['b']]);
    expect(made.things).toEqual([thing('grant', 'b')]);
  });

  it('leaves the list alone that it began with', () => {
    const before = [thing('server', 'a')];
    new Made(() => undefined, before).add(thing('server', 'b'));
    expect(before).toHaveLength(1);
  });
});

describe('removal', () => {
  const all = [thing('server', 'a'), thing('grant', 'b'), thing('session', 'c'), thing('server', 'd')];

  it('takes sessions and grants before servers, and looks that a server is gone', async () => {
    const { admin, asked } = adminOf('');
    const made = new Made(() => undefined, all);
    expect(await removeMade(made, admin)).toEqual([]);
    expect(made.things).toEqual([]);
    expect(asked.slice(0, 2)).toEqual(['DELETE /runtime/sessions/n/c', 'DELETE /runtime/grants/n/b']);
    expect(asked.slice(2).sort()).toEqual([
      'DELETE /runtime/servers/n/a',
      'DELETE /runtime/servers/n/d',
      'GET /runtime/servers/n/a',
      'GET /runtime/servers/n/d',
    ]);
  });

  it('goes on after a failure, tells it, and forgets only what is gone', async () => {
    const made = new Made(() => undefined, all);
    expect(await removeMade(made, adminOf('/runtime/grants/n/b').admin)).toEqual(['grant n/b: it failed: 500']);
    expect(made.things).toEqual([thing('grant', 'b')]);
  });

  it('does not believe that a server is gone which is still there', async () => {
    const made = new Made(() => undefined, [thing('server', 'a')]);
    const left = await removeMade(made, adminOf('', 200).admin);
    expect(left).toEqual([expect.stringContaining('server n/a: the server a is still there')]);
    expect(made.things).toHaveLength(1);
  });

  it('leaves alone what is not wanted', async () => {
    const made = new Made(() => undefined, all);
    await removeMade(made, adminOf('').admin, ({ kind }) => kind === 'server');
    expect(made.things.map(({ name }) => name)).toEqual(['b', 'c']);
  });
});
