import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { McprtError } from '../errors.js';
import { certificates, count, domain, overrides, path, readInputs, secret, text, token } from './inputs.js';

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJlMDEyMzQ1';
let printed: string[] = [];

beforeEach(() => {
  printed = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((written) => {
    printed.push(String(written));
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  for (const name of Object.keys(process.env)) if (name.startsWith('INPUT_')) delete process.env[name];
});

const give = (inputs: Record<string, string>): void => {
  for (const [name, value] of Object.entries(inputs)) process.env[`INPUT_${name.toUpperCase()}`] = value;
};

const masks = (): string => printed.filter((line) => line.startsWith('::add-mask::')).join('');

function refusal(types: Parameters<typeof readInputs>[0]): McprtError {
  try {
    readInputs(types);
  } catch (error) {
    if (error instanceof McprtError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('inputs', () => {
  it('are masked before the first is looked at: secrets, and what looks like one in the wrong place', () => {
    give({
      number: 'none',
      key: 'a password',
      other: jwt,
      address: 'http://u:hunter%202@h',
      site: 'abc1d2e3f4g5h6i7j8.example.com',
    });
    refusal({ number: count, key: secret, other: text, address: text, site: domain });
    for (const one of ['a password', jwt, 'hunter 2', 'hunter%25202']) expect(masks()).toContain(`::add-mask::${one}`);
    expect(masks()).not.toContain('abc1d2e3');
  });

  it.each([
    ['token', token, `${jwt}\n${jwt}`],
    ['token', token, `${jwt}ä`],
    ['path', path, `${jwt}\n${jwt}`],
    ['path', path, jwt.repeat(8)],
    ['certificates', certificates, jwt],
    ['certificates', certificates, `-----BEGIN PRIVATE KEY-----\n${jwt}\n-----END PRIVATE KEY-----`],
    ['overrides', overrides, jwt],
    ['overrides', overrides, 'short-pw'],
    ['certificates', certificates, 'short-pw'],
  ])('of the type %s are refused, and not quoted', (_, type, value) => {
    give({ own: value });
    const { code, message, why, next } = refusal({ own: type });
    expect(code).toBe('input-invalid');
    for (const part of value.split('\n')) expect([message, why, next].join()).not.toContain(part);
  });

  it('of a path show it where it is one', () => {
    give({ own: '/no/such/ca.pem' });
    expect(refusal({ own: certificates }).why).toContain('/no/such/ca.pem');
  });
});
