import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import type { ApiAnswer, ApiCaller, PlatformApi } from '../platform/api.js';
import { ensureMember, ensureTeam, leftText } from './tenants.js';

const signal = new AbortController().signal;
const team = { id: 't1', slug: 'mcprt-smoke', namespace: 'mcp-team-mcprt-smoke' };
const found: Partial<ApiAnswer> = { body: { team } };
const absent: Partial<ApiAnswer> = { status: 404 };

/** Gives each request its answers one after the other, the last one again and again; keeps what was asked. */
function callerOf(all: Record<string, Partial<ApiAnswer>[]>, id = 'nobody') {
  const asked: string[] = [];
  let forgotten = 0;
  const caller: ApiCaller = {
    async call(method, path) {
      const request = `${method} ${path}`;
      const count = asked.filter((one) => one === request).length;
      asked.push(request);
      const own = all[request];
      const answer = own?.[Math.min(count, own.length - 1)];
      if (answer === undefined) throw new Error(`${request} was not expected`);
      return { status: 200, body: undefined, told: request, ...answer };
    },
    person: async () => ({ id, email: '', role: 'user' }),
    forget: () => {
      forgotten += 1;
    },
  };
  return { caller, asked, forgotten: () => forgotten };
}

describe('a team', () => {
  const [get, post] = ['GET /runtime/teams/mcprt-smoke', 'POST /runtime/teams'];
  const ensure = (caller: ApiCaller, more = signal) =>
    ensureTeam(caller, { slug: team.slug, name: 'mcprt smoke test' }, more);

  it('that is there is taken, and none is made', async () => {
    const { caller, asked } = callerOf({ [get]: [found] });
    expect(await ensure(caller)).toEqual({ team, isNew: false });
    expect(asked).toEqual([get]);
  });

  it('that is not there is made', async () => {
    const { caller } = callerOf({ [get]: [absent], [post]: [found] });
    expect(await ensure(caller)).toEqual({ team, isNew: true });
  });

  it('that another run has made at the same moment is taken', async () => {
    const { caller } = callerOf({ [get]: [absent, found], [post]: [{ status: 400, told: 'duplicate key' }] });
    expect(await ensure(caller)).toEqual({ team, isNew: false });
  });

  it.each(['connection refused', 'status 401', 'status 503'])('is made again after what passes: %s', async (told) => {
    const { caller, asked } = callerOf({ [get]: [absent], [post]: [{ status: 400, told }, found] });
    expect((await ensure(caller)).isNew).toBe(true);
    expect(asked.filter((one) => one === post)).toHaveLength(2);
  });

  it('that is not there and cannot be made is burnt', async () => {
    const { caller, asked } = callerOf({ [get]: [absent], [post]: [{ status: 400, told: 'duplicate key' }] });
    await expect(ensure(caller)).rejects.toMatchObject({ code: 'smoke-team-burnt' });
    expect(asked.filter((one) => one === post)).toHaveLength(1);
  });

  it('whose namespace cannot be made is not tried again, as its slug is taken now', async () => {
    const { caller, asked } = callerOf({ [get]: [absent], [post]: [{ status: 500, told: 'status 500' }] });
    await expect(ensure(caller)).rejects.toMatchObject({ code: 'smoke-team-namespace' });
    expect(asked.filter((one) => one === post)).toHaveLength(1);
  });

  it('is not waited for when the job is cancelled', async () => {
    const reason = new Error('the job was cancelled');
    const { caller } = callerOf({ [get]: [absent], [post]: [{ status: 400, told: 'connection refused' }] });
    await expect(ensure(caller, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('a member', () => {
  const email = 'mcprt-smoke@example.com';
  const members = 'GET /runtime/teams/mcprt-smoke/members';
  const put = 'PUT /runtime/teams/mcprt-smoke/members/u1';
  const nobody = { [members]: [{ body: { members: [{ email: 'other@example.com', user_id: 'u9' }] } }], [put]: [{}] };
  const me = (...slugs: string[]) => ({ body: { principal: { teams: slugs.map((slug) => ({ slug })) } } });

  function ensure(admin: ApiCaller, own = callerOf({ 'GET /auth/me': [me('other', team.slug)] }, 'u1')) {
    const api: PlatformApi = { host: 'p.example.com', base: '/api/v1', as: () => own.caller };
    const made = ensureMember(api, admin, { team, email, password: 'hunter2 secret', role: 'member' });
    return { made, own };
  }

  it('that is in the team with its role is left as it is', async () => {
    const admin = callerOf({ [members]: [{ body: { members: [{ email, user_id: 'u1', role: 'member' }] } }] });
    const { made, own } = ensure(admin.caller);
    expect(await made).toEqual({ email, id: 'u1', caller: own.caller });
    expect([admin.asked, own.forgotten()]).toEqual([[members], 0]);
  });

  it('that is in the team with another role gets this one, and logs in afresh', async () => {
    const list = { body: { members: [{ email, user_id: 'u1', role: 'owner' }] } };
    const admin = callerOf({ [members]: [list], [put]: [{}] });
    const { made, own } = ensure(admin.caller);
    expect((await made).id).toBe('u1');
    expect([admin.asked, own.forgotten()]).toEqual([[members, put], 1]);
  });

  it('that is nobody yet is made', async () => {
    const admin = callerOf({ ...nobody, 'POST /users': [{ status: 201, body: { user: { id: 'u1' } } }] });
    expect((await ensure(admin.caller).made).id).toBe('u1');
    expect(admin.asked).toEqual([members, 'POST /users', put]);
  });

  it.each(['duplicate key value', 'user already exists'])('that is somebody already tells who: %s', async (told) => {
    const admin = callerOf({ ...nobody, 'POST /users': [{ status: 400, told }] });
    const { made, own } = ensure(admin.caller);
    expect((await made).id).toBe('u1');
    // The login that told it was from before the membership.
    expect(own.forgotten()).toBe(1);
  });

  it('cannot be made with a password that the platform does not take', async () => {
    const admin = callerOf({ ...nobody, 'POST /users': [{ status: 400, told: 'password too short' }] });
    await expect(ensure(admin.caller).made).rejects.toMatchObject({
      code: 'smoke-user',
      next: expect.stringContaining('`user-password`'),
    });
  });

  it('must be in the team by its own login', async () => {
    const admin = callerOf({ [members]: [{ body: { members: [{ email, user_id: 'u1', role: 'member' }] } }] });
    await expect(ensure(admin.caller, callerOf({ 'GET /auth/me': [me('other')] })).made).rejects.toMatchObject({
      code: 'smoke-membership',
      why: 'GET /auth/me: teams other',
    });
    await expect(ensure(admin.caller, callerOf({ 'GET /auth/me': [{ body: [] }] })).made).rejects.toMatchObject({
      why: 'GET /auth/me: teams none',
    });
  });
});

describe('the line of what is left', () => {
  it('says what and why', () => {
    const error = new McprtError('smoke-tcp', { what: 'it broke', why: 'reset', next: '' });
    expect(leftText('server n/a', error)).toBe('server n/a: it broke: reset');
  });
});
