import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Mcp, McpAnswer } from '../mcp/client.js';
import type { ApiAnswer, ApiCaller, CallOptions } from '../platform/api.js';
import { adapterSession, callUntilAllowed, headersOf, requireRefusal } from './calls.js';
import { Made } from './made.js';

const refused = (reason: string, status = 403): McpAnswer => ({
  status,
  message: { error: reason },
  headers: {},
  text: reason,
});
const gave = (text: string): McpAnswer => ({
  status: 200,
  message: { id: 1, result: { content: [{ type: 'text', text }] } },
  headers: {},
  text,
});
const failed: McpAnswer = {
  status: 200,
  message: { id: 1, error: { code: -32_603 } },
  headers: {},
  text: '{"error":…}',
};

/** Gives these answers, one after the other, the last one again and again. */
function answers(...all: [McpAnswer, ...McpAnswer[]]) {
  let count = 0;
  return {
    call: async (): Promise<McpAnswer> => all[Math.min(count++, all.length - 1)] ?? all[0],
    count: () => count,
  };
}

const waits = (propagation: number, signal = new AbortController().signal) => ({ propagation, signal });

describe('a call that must be let through', () => {
  const attempt = (all: { call: () => Promise<McpAnswer> }, propagation: number, expected?: string) => {
    const never = () => Promise.reject(new Error('never asked'));
    const mcp: Mcp = {
      initialize: never,
      listTools: never,
      callTool: all.call,
      post: never,
      close: never,
    };
    return callUntilAllowed(mcp, { tool: 'add', args: {}, expected, headers: {} }, waits(propagation));
  };

  it('gives its text', async () => {
    const all = answers(gave('12'));
    expect(await attempt(all, 60_000)).toBe('12');
    expect(await attempt(all, 60_000, '12')).toBe('12');
    expect(all.count()).toBe(2);
  });

  it.each(['session_not_found', 'session_expired', 'no_matching_grant', 'tool_not_granted', 'policy_unavailable'])(
    'is repeated while the gateway does not know it yet: %s',
    async (reason) => {
      const all = answers(refused(reason), gave('12'));
      expect(await attempt(all, 60_000)).toBe('12');
      expect(all.count()).toBe(2);
    },
  );

  it.each(['missing_identity', 'trust_too_low', 'session_revoked'])('is not repeated after %s', async (reason) => {
    const all = answers(refused(reason));
    await expect(attempt(all, 60_000)).rejects.toMatchObject({
      code: 'smoke-call-denied',
      why: `tools/call add → 403 ${reason}`,
    });
    expect(all.count()).toBe(1);
  });

  it('fails when the gateway still does not know it at the end, and says how long that was', async () => {
    const all = answers(refused('session_not_found', 401));
    await expect(attempt(all, 1_000)).rejects.toMatchObject({
      code: 'smoke-call-denied',
      why: 'tools/call add → 401 session_not_found for 1 s',
    });
    expect(all.count()).toBeGreaterThan(1);
  });

  it('is made once when nothing is waited for', async () => {
    const all = answers(refused('session_not_found'), gave('12'));
    await expect(attempt(all, 0)).rejects.toMatchObject({ code: 'smoke-call-denied' });
    expect(all.count()).toBe(1);
  });

  it('fails when an error comes with 200, and when no server answers', async () => {
    await expect(attempt(answers(failed), 60_000)).rejects.toMatchObject({ code: 'smoke-call-failed' });
    const noPod: McpAnswer = { status: 502, message: undefined, headers: {}, text: 'Bad Gateway' };
    await expect(attempt(answers(noPod), 60_000)).rejects.toMatchObject({
      code: 'smoke-call-failed',
      why: 'tools/call add → 502 Bad Gateway',
    });
  });

  it('fails when another text comes, of which the beginning is told', async () => {
    await expect(attempt(answers(gave('x'.repeat(300))), 60_000, '12')).rejects.toMatchObject({
      code: 'smoke-call-wrong',
      why: `"${'x'.repeat(100)}" instead of "12"`,
    });
    await expect(attempt(answers(gave('12 ')), 60_000, '12')).rejects.toMatchObject({ code: 'smoke-call-wrong' });
  });
});

describe('a call that must be refused', () => {
  const wanted = { status: 403, reason: 'trust_too_low', what: 'the call', before: ['allowed', 'no_matching_grant'] };

  it('is refused for its reason', async () => {
    const all = answers(refused('trust_too_low'));
    expect(await requireRefusal(all.call, wanted, waits(60_000))).toMatchObject({ status: 403 });
    expect(all.count()).toBe(1);
  });

  it('is repeated while the answer is one from before the change', async () => {
    const all = answers(gave('12'), refused('no_matching_grant'), refused('trust_too_low'));
    await requireRefusal(all.call, wanted, waits(60_000));
    expect(all.count()).toBe(3);
  });

  it('has come too soon when it is let through and that was not so before', async () => {
    const all = answers(gave('12'), refused('trust_too_low'));
    const attempt = requireRefusal(all.call, { ...wanted, before: [] }, waits(60_000));
    await expect(attempt).rejects.toMatchObject({ code: 'smoke-not-denied', message: 'the call is let through' });
    expect(all.count()).toBe(1);
  });

  it('is let through also when its answer holds an error of the server', async () => {
    await expect(requireRefusal(answers(failed).call, wanted, waits(0))).rejects.toMatchObject({
      code: 'smoke-not-denied',
    });
  });

  it.each([refused('other_reason'), refused('trust_too_low', 401), { ...refused('trust_too_low'), status: 500 }])(
    'is not refused by another answer: %j',
    async (answer) => {
      await expect(requireRefusal(answers(answer).call, wanted, waits(60_000))).rejects.toMatchObject({
        code: 'smoke-denied-otherwise',
      });
    },
  );

  it('throws why it was cancelled', async () => {
    const controller = new AbortController();
    const reason = new Error('the job was cancelled');
    const call = async (): Promise<McpAnswer> => {
      controller.abort(reason);
      return gave('12');
    };
    await expect(requireRefusal(call, wanted, waits(60_000, controller.signal))).rejects.toBe(reason);
  });
});

describe('an identity', () => {
  it('is told in headers, with the session where there is one', () => {
    const identity = { human: 'h', agent: 'a', team: 't', session: 's' };
    expect(headersOf(identity)).toEqual({
      'x-mcp-human-id': 'h',
      'x-mcp-agent-id': 'a',
      'x-mcp-team-id': 't',
      'x-mcp-agent-session': 's',
    });
    expect(headersOf({ ...identity, session: undefined })).not.toHaveProperty('x-mcp-agent-session');
  });

  const wanted = { server: 'demo', namespace: 'n', agent: 'a', trust: 'medium' as const };
  let made: Made;

  beforeEach(() => {
    made = new Made(() => undefined);
  });

  const callerOf = (answer: Partial<ApiAnswer>) => {
    const asked: unknown[] = [];
    const caller: ApiCaller = {
      async call(method: string, path: string, options?: CallOptions) {
        asked.push([method, path, options?.body]);
        return { status: 200, body: undefined, told: 'POST → 200', ...answer };
      },
      person: () => Promise.reject(new Error('nobody')),
      forget: () => undefined,
    };
    return { caller, asked };
  };

  it('comes from the platform with a session, which is noted as made', async () => {
    const { caller, asked } = callerOf({ body: { name: 's', humanID: 'h', teamID: 't', token: 'x' } });
    expect(await adapterSession(caller, made, wanted)).toEqual({ human: 'h', agent: 'a', team: 't', session: 's' });
    const body = { serverName: 'demo', namespace: 'n', agentID: 'a', requestedTrust: 'medium' };
    expect(asked).toEqual([['POST', '/runtime/adapter/sessions', body]]);
    expect(made.things).toEqual([{ kind: 'session', namespace: 'n', name: 's' }]);
  });

  it('is not given without a grant', async () => {
    const { caller } = callerOf({ status: 403, told: 'POST → 403 no grant' });
    await expect(adapterSession(caller, made, wanted)).rejects.toMatchObject({
      code: 'smoke-adapter-denied',
      why: 'POST → 403 no grant',
    });
    expect(made.things).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ humanID: 'h', teamID: 't' }, 'humanID, teamID'],
    [{ name: 's', humanID: 7, teamID: 't' }, 'name, humanID, teamID'],
    [{ name: 's', humanID: 'h', teamID: '' }, 'name, humanID, teamID'],
    [undefined, 'nothing'],
  ])('is of no use when a part is missing, and tells names of fields only: %j', async (body, fields) => {
    await expect(adapterSession(callerOf({ body }).caller, made, wanted)).rejects.toMatchObject({
      code: 'smoke-adapter-session',
      why: `POST → 200 with ${fields}`,
    });
  });
});
