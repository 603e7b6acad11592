import { afterEach, describe, expect, it } from '@jest/globals';
import { readInputs } from '../../shared/action/inputs.js';
import { inputTypes } from './inputs.js';

const defaults: Record<string, string> = {
  operation: 'test',
  suite: 'health',
  'team-prefix': 'mcprt-smoke',
  'push-limit': '30s',
  'deploy-timeout': '3m',
  'propagation-timeout': '3m',
  'min-days': 'auto',
  'pull-request': '0',
  'older-than': '6h',
  'previews-older-than': '14d',
  timeout: '30m',
};
const nameOf = (input: string): string => `INPUT_${input.toUpperCase()}`;

afterEach(() => {
  for (const name of Object.keys(inputTypes)) delete process.env[nameOf(name)];
});

function read(inputs: Record<string, string> = {}) {
  for (const [name, value] of Object.entries({ ...defaults, ...inputs })) process.env[nameOf(name)] = value;
  return readInputs(inputTypes);
}

function refusal(inputs: Record<string, string>): unknown {
  try {
    read(inputs);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('the inputs of action-smoke-test', () => {
  it('are what action.yml says when nothing is given', () => {
    expect(read()).toMatchObject({
      operation: 'test',
      suite: ['health'],
      'call-arguments': {},
      'push-limit': 30_000,
      'older-than': 6 * 3600_000,
      'run-id': '',
      keep: false,
      resolve: [],
    });
  });

  it('takes several suites, each once', () => {
    expect(read({ suite: 'health, tenant\nmultitenancy,health' }).suite).toEqual(['health', 'tenant', 'multitenancy']);
    expect(refusal({ suite: 'health,all' })).toMatchObject({ code: 'input-invalid' });
  });

  it('takes a JSON object as arguments of a tool', () => {
    expect(read({ 'call-arguments': '{"a":7,"b":{"c":[]}}' })['call-arguments']).toEqual({ a: 7, b: { c: [] } });
  });

  it.each(['[1]', '"text"', 'null', '7', '{"a":', 'hunter2'])('takes no other arguments than an object: %s', (text) => {
    expect(refusal({ 'call-arguments': text })).toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('`call-arguments`'),
    });
  });

  it('shows nothing of arguments that are no JSON, as they may hold a secret', () => {
    const error = refusal({ 'call-arguments': 'hunter2' });
    expect(error).toMatchObject({ code: 'input-invalid', why: 'it is no JSON' });
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  it.each(['a', 'a1', 'mcprt-smoke', 'a'.repeat(40)])('takes %s as beginning of the teams’ slugs', (prefix) => {
    expect(read({ 'team-prefix': prefix })['team-prefix']).toBe(prefix);
    expect(`mcp-team-${prefix}-techcorp`.length).toBeLessThanOrEqual(63);
  });

  it.each(['', 'A', '1a', '-a', 'a-', 'a_b', 'a'.repeat(41)])('takes no slugs that begin with %j', (prefix) => {
    expect(refusal({ 'team-prefix': prefix })).toMatchObject({ code: 'input-invalid' });
  });

  it.each(['', '1', 'a-1', '7'.repeat(30)])('takes the id of a run %j', (id) => {
    expect(read({ 'run-id': id })['run-id']).toBe(id);
  });

  it.each(['-1', '1-', 'A', 'a/b', '7'.repeat(31)])('takes no id of a run %j', (id) => {
    expect(refusal({ 'run-id': id })).toMatchObject({ code: 'input-invalid' });
  });

  it.each([
    ['pull-request', '-1'],
    ['pull-request', 'seven'],
    ['min-days', '1.5'],
    ['push-limit', '30'],
    ['keep', 'yes'],
    ['operation', 'tests'],
    ['resolve', 'a.example.com=b.example.com'],
  ])('refuses %s: %s', (name, value) => {
    expect(refusal({ [name]: value })).toMatchObject({ message: expect.stringContaining(`\`${name}\``) });
  });
});
