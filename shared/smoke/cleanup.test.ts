import { describe, expect, it } from '@jest/globals';
import type { ApiCaller } from '../platform/api.js';
import { type CleanupRules, findLeftovers, type Leftover, planCleanup, previewOf } from './cleanup.js';
import { previewName } from './pull-request.js';

const hour = 3600_000;
const now = new Date('2026-06-01T00:00:00Z');
const repository = 'acme/platform';
const rules: CleanupRules = {
  now,
  repository,
  pullRequest: undefined,
  olderThan: 6 * hour,
  previewsOlderThan: 14 * 24 * hour,
  closed: new Set([8]),
};
const thing = (name: string, age: number): Leftover => ({
  kind: 'server',
  namespace: 'mcp-team-mcprt-smoke',
  name,
  createdAt: new Date(now.getTime() - age),
  server: '',
});
const preview = (number: number, of = repository): string => previewName(of, number, 'demo');

/** What becomes of one thing; undefined when it is not among the lines. */
function fate(name: string, age: number, more: Partial<CleanupRules> = {}): [boolean, string] | undefined {
  const [line] = planCleanup([thing(name, age)], { ...rules, ...more });
  return line && [line.isRemoved, line.reason];
}

describe('what tests have left', () => {
  it('goes when it is older than a run may be, and not before', () => {
    expect(fate('smoke-1', 6 * hour)).toEqual([false, 'its run may continue']);
    expect(fate('smoke-1', 6 * hour + 1)).toEqual([true, '6 h old']);
    expect(fate('smoke-1', 47 * hour)).toEqual([true, '47 h old']);
    expect(fate('smoke-1', 71 * hour)).toEqual([true, '2 days old']);
  });

  it('stays when nothing tells how old it is', () => {
    expect(fate('smoke-1', Number.NaN)).toEqual([false, 'its age is not known']);
    expect(fate(preview(7), Number.NaN)?.[0]).toBe(false);
  });

  it.each(['demo', 'mcprt-smoke', 'a-smoke-1', 'pr-demo', 'pr-7', 'prefix-pr-7-x'])(
    'is not what has another name: %s',
    (name) => {
      expect(fate(name, 1_000 * hour)).toBeUndefined();
    },
  );
});

describe('a preview', () => {
  it('goes when its server has another name now, with its grant; what the pull request has now stays', () => {
    const [old, keep] = [previewName(repository, 7, 'old'), previewName(repository, 7, 'new')];
    const more = { pullRequest: 7, keep };
    expect(fate(old, 0, more)).toEqual([true, `its server is called ${keep} now`]);
    expect(fate(`${old}-grant`, 0, more)?.[0]).toBe(true);
    expect(fate(keep, 0, more)).toBeUndefined();
    expect(fate(`${keep}-grant`, 0, more)).toBeUndefined();
    expect(fate(preview(8), 0, more)).toBeUndefined();
    expect(fate(previewName('acme/other', 7, 'old'), 0, more)).toBeUndefined();
    expect(fate('smoke-1', 100 * hour, more)).toBeUndefined();
  });

  it('goes when its pull request is closed, however new it is', () => {
    expect(fate(preview(8), 0)).toEqual([true, 'pull request 8 is closed']);
  });

  it('goes when it is old, also of an open pull request', () => {
    expect(fate(preview(7), 14 * 24 * hour)).toEqual([false, 'pull request 7 is open']);
    expect(fate(preview(7), 14 * 24 * hour + 1)).toEqual([true, '14 days old']);
  });

  it('is no business of another repository’s', () => {
    expect(fate(preview(8, 'acme/other'), 1_000 * hour)).toBeUndefined();
    expect(fate('pr-8-demo', 1_000 * hour)).toBeUndefined();
  });

  it('goes with its grant', () => {
    expect(fate(`${preview(8)}-grant`, 0)).toEqual([true, 'pull request 8 is closed']);
    expect(fate(`${preview(8, 'acme/other')}-grant`, 0)).toBeUndefined();
  });

  it('is all that goes when one pull request is asked for', () => {
    const one = { pullRequest: 7, closed: new Set([7]) };
    expect(fate(preview(7), 0, one)).toEqual([true, 'pull request 7 is closed']);
    expect(fate(preview(8), 1_000 * hour, one)).toBeUndefined();
    expect(fate(preview(77), 1_000 * hour, one)).toBeUndefined();
    expect(fate(preview(7, 'acme/other'), 1_000 * hour, one)).toBeUndefined();
    expect(fate('smoke-1', 1_000 * hour, one)).toBeUndefined();
  });

  it('tells its number by its name', () => {
    expect(['pr-7-demo-abcde', 'pr-77-x', 'pr--x', 'pr-7', 'smoke-pr-7-x'].map(previewOf)).toEqual([
      7,
      77,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a session that an adapter asked for', () => {
  const session = { ...thing('adapter-1', 0), kind: 'session' as const, server: 'smoke-1' };
  const fateOf = (things: readonly Leftover[]): [boolean, string] | undefined => {
    const line = planCleanup(things, rules).find((one) => one.thing === session);
    return line && [line.isRemoved, line.reason];
  };

  it('stays with its server, goes with it, and goes after it', () => {
    expect(fateOf([session, thing('smoke-1', 0)])).toBeUndefined();
    expect(fateOf([session, thing('smoke-1', 7 * hour)])).toEqual([true, 'its server goes']);
    expect(fateOf([session, thing('smoke-2', 7 * hour)])).toEqual([true, 'its server is gone']);
  });

  it('stays where it does not say for which server it is', () => {
    expect(planCleanup([{ ...session, server: '' }, thing('smoke-1', 7 * hour)], rules)).toMatchObject([
      { thing: { kind: 'server' } },
    ]);
  });
});

describe('a Secret that a server has left', () => {
  const secret = (server: string, age: number): Leftover => ({
    ...thing(`${server}-analytics-creds`, age),
    kind: 'secret',
    server,
  });
  const fateOf = (one: Leftover): boolean | undefined => planCleanup([one], rules)[0]?.isRemoved;

  it('goes as its server would', () => {
    expect(fateOf(secret('smoke-1', 7 * hour))).toBe(true);
    expect(fateOf(secret('smoke-1', 0))).toBe(false);
    expect(fateOf(secret(preview(8), 0))).toBe(true);
    expect(fateOf(secret(preview(8, 'acme/other'), 1_000 * hour))).toBeUndefined();
    expect(fateOf(secret('weather', 1_000 * hour))).toBeUndefined();
  });
});

describe('a preview that was pushed again', () => {
  it('is as old as its newest part', () => {
    const lines = planCleanup([thing(preview(7), 0), thing(`${preview(7)}-grant`, 1_000 * hour)], rules);
    expect(lines.map(({ isRemoved }) => isRemoved)).toEqual([false, false]);
  });
});

describe('the search for leftovers', () => {
  const admin = (answers: Record<string, unknown>): ApiCaller => ({
    call: async (_, path) => {
      const body = answers[path];
      return { status: body === undefined ? 404 : 200, body, told: '' };
    },
    person: () => Promise.reject(new Error('nobody')),
    forget: () => undefined,
  });

  it('finds servers, grants and sessions of each namespace, with when they were made', async () => {
    const age = '2026-05-31T20:00:00Z';
    const found = await findLeftovers(
      admin({
        '/runtime/servers?namespace=a': { servers: [{ name: 's', age }, 'no server'] },
        '/runtime/grants?namespace=a': { grants: [{ name: 'g', age, serverRef: { name: 's' } }] },
        '/runtime/sessions?namespace=b': { sessions: [{ name: 'e', age }] },
        '/runtime/servers?namespace=b': { servers: null },
        '/runtime/grants?namespace=b': 'no JSON',
      }),
      ['a', 'b', 'never-made'],
    );
    const createdAt = new Date(age);
    expect(found).toEqual([
      { kind: 'server', namespace: 'a', name: 's', createdAt, server: '' },
      { kind: 'grant', namespace: 'a', name: 'g', createdAt, server: 's' },
      { kind: 'session', namespace: 'b', name: 'e', createdAt, server: '' },
    ]);
  });

  it.each([{}, { age: null }, { age: '' }, { age: '5h' }])(
    'believes nothing to be old that does not say so: %j',
    async (item) => {
      const answers = { '/runtime/servers?namespace=a': { servers: [{ name: 'smoke-1', ...item }] } };
      const lines = planCleanup(await findLeftovers(admin(answers), ['a']), rules);
      expect(lines).toMatchObject([{ isRemoved: false, reason: 'its age is not known' }]);
    },
  );
});
