import { expect, it } from '@jest/globals';
import { policyFile, renderPolicy } from '../operator/policy.js';
import { evaluate } from './evaluate.js';
import { policySchema } from './policy.js';

const server = {
  apiVersion: 'mcpruntime.org/v1alpha1',
  kind: 'MCPServer',
  metadata: { name: 'wa', namespace: 'n' },
  spec: { teamID: 'acme', tools: [{ name: 'add', sideEffect: 'read' }] },
};
const grant = {
  apiVersion: 'mcpruntime.org/v1alpha1',
  kind: 'MCPAccessGrant',
  metadata: { name: 'g', namespace: 'n' },
  spec: {
    serverRef: { name: 'wa' },
    subject: { teamID: 'globex' },
    maxTrust: 'low',
    allowedSideEffects: ['read'],
    toolRules: [{ name: 'add', decision: 'allow' }],
  },
};

it('reads the file of a server that nobody was granted anything of', () => {
  const file: unknown = JSON.parse(policyFile(renderPolicy(server, [], [])));
  expect(file).not.toHaveProperty('grants');
  expect(file).not.toHaveProperty('sessions');
  expect(file).toHaveProperty('session', {});
  expect(policySchema.parse(file)).toMatchObject({ grants: [], sessions: [], session: { required: false } });
});

it('reads back whom something was granted to', () => {
  const file: unknown = JSON.parse(policyFile(renderPolicy(server, [grant], [])));
  expect(file).toHaveProperty('grants', [expect.objectContaining({ team_id: 'globex' })]);
  const policy = policySchema.parse(file);
  const caller = { humanId: 'h', agentId: 'a', teamId: 'globex', session: '' };
  expect(evaluate(policy, caller, 'add')).toMatchObject({ status: 200 });
  expect(evaluate(policy, { ...caller, teamId: 'other' }, 'add')).toMatchObject({ reason: 'no_matching_grant' });
});
