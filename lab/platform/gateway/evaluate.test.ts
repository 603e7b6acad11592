import { describe, expect, test } from '@jest/globals';
import { evaluate, type Identity } from './evaluate.js';
import type { Policy } from './policy.js';

const subject = { human_id: 'h', agent_id: 'cursor', team_id: 'globex' };
const caller: Identity = { humanId: 'h', agentId: 'cursor', teamId: 'globex', session: 's' };
const rule = (name: string, decision = 'allow', required_trust = '') => ({ name, decision, required_trust });
const grant: Policy['grants'][number] = {
  name: 'g',
  namespace: 'n',
  subject: { ...subject, human_id: '' },
  max_trust: 'low',
  allowed_side_effects: ['read'],
  disabled: false,
  tool_rules: [rule('add'), rule('slugify', 'allow', 'medium'), rule('drop'), rule('ghost'), rule('no', 'deny')],
};
const session: Policy['sessions'][number] = {
  name: 's',
  namespace: 'n',
  subject,
  consented_trust: 'low',
  revoked: false,
  expires_at: '2030-01-01T00:00:00Z',
};
const tool = (name: string, side_effect = 'read') => ({ name, required_trust: 'low', side_effect, risk_level: 'low' });
const policy: Policy = {
  schema_version: 'v1',
  revision: '',
  generated_at: '',
  server: { name: 'wa', namespace: 'n', team_id: 'acme', cluster: 'local' },
  auth: { mode: 'header' },
  policy: { mode: 'allow-list', default_decision: 'deny', policy_version: 'v1' },
  session: { required: true },
  tools: [tool('add'), tool('slugify'), tool('echo'), tool('no'), tool('drop', 'destructive')],
  grants: [grant],
  sessions: [session],
};
const nobody: Identity = { humanId: '', agentId: '', teamId: '', session: '' };

describe('the gateway', () => {
  test.each<[string, string, Partial<Policy>, Identity, string, number]>([
    ['a call that is granted', 'add', {}, caller, 'allowed', 200],
    ['nobody', 'add', {}, nobody, 'missing_identity', 401],
    ['a session and nobody', 'add', {}, { ...nobody, session: 's' }, 'missing_identity', 401],
    ['no session', 'add', {}, { ...caller, session: '' }, 'missing_session', 401],
    ['a session of another human', 'add', {}, { ...caller, humanId: 'x' }, 'session_not_found', 401],
    ['a session without its human', 'add', {}, { ...caller, humanId: '' }, 'session_not_found', 401],
    ['a revoked session', 'add', { sessions: [{ ...session, revoked: true }] }, caller, 'session_revoked', 401],
    [
      'an old session',
      'add',
      { sessions: [{ ...session, expires_at: '2020-01-01T00:00:00Z' }] },
      caller,
      'session_expired',
      401,
    ],
    ['no grant', 'add', { grants: [] }, caller, 'no_matching_grant', 403],
    ['a disabled grant', 'add', { grants: [{ ...grant, disabled: true }] }, caller, 'tool_not_granted', 403],
    ['a rule against it', 'no', {}, caller, 'tool_denied', 403],
    ['a tool without a rule', 'echo', {}, caller, 'tool_not_granted', 403],
    ['a tool that is not in the metadata', 'ghost', {}, caller, 'tool_side_effect_unknown', 403],
    ['any tool of a grant without rules', 'echo', { grants: [{ ...grant, tool_rules: [] }] }, caller, 'allowed', 200],
    ['a side effect too many', 'drop', {}, caller, 'side_effect_not_allowed', 403],
    ['a grant of no trust', 'add', { grants: [{ ...grant, max_trust: '' }] }, caller, 'grant_without_trust', 403],
    ['a trust too low', 'slugify', {}, caller, 'trust_too_low', 403],
    [
      'no session where none is asked for',
      'add',
      { session: { required: false } },
      { ...caller, session: '' },
      'allowed',
      200,
    ],
  ])('answers %s', (_, name, change, identity, reason, status) => {
    expect(evaluate({ ...policy, ...change }, identity, name)).toMatchObject({ reason, status });
  });
});
