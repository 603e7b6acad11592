import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { challengeOf, registryTokens } from './registry-token.js';
import type { RegistryAnswer, RegistryRoute } from './route.js';

const never = new AbortController().signal;
const answer = (status: number, body: unknown, headers: RegistryAnswer['headers'] = {}): RegistryAnswer => ({
  status,
  headers,
  body: Readable.from([Buffer.from(JSON.stringify(body))]),
});
const asked = answer(
  401,
  {},
  { 'www-authenticate': 'Bearer realm="https://auth.example.com/token",service="s",scope="a:b"' },
);

/** Tokens of somebody who answers these in turn, and what was asked of them. */
function tokensOf(...replies: RegistryAnswer[]) {
  const urls: string[] = [];
  const route: RegistryRoute = {
    name: 'the registry',
    origin: 'https://registry.example.com',
    request: () => Promise.reject(new Error('not this one')),
    async elsewhere(url) {
      urls.push(url.href);
      return replies.shift() ?? answer(500, {});
    },
    close: async () => undefined,
  };
  return { tokens: registryTokens(route, never), urls };
}

describe('registryTokens', () => {
  it('asks for what the answer says, and keeps the token for the next request', async () => {
    const { tokens, urls } = tokensOf(answer(200, { token: 't', expires_in: 300 }));
    expect(await tokens.current()).toBeUndefined();
    expect(await tokens.renew(asked)).toBe('t');
    expect(await tokens.current()).toBe('t');
    expect(urls).toEqual(['https://auth.example.com/token?service=s&scope=a%3Ab']);
  });

  it('asks for a new one shortly before it ends', async () => {
    const { tokens } = tokensOf(
      answer(200, { token: 'first', expires_in: 11 }),
      answer(200, { access_token: 'second' }),
    );
    await tokens.renew(asked);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await tokens.current()).toBe('second');
  });

  it('asks for none where a password is wanted', async () => {
    const { tokens, urls } = tokensOf();
    expect(await tokens.renew(answer(401, {}, { 'www-authenticate': 'Basic realm="r"' }))).toBeUndefined();
    expect(urls).toEqual([]);
  });

  it.each<[string, RegistryAnswer]>([
    ['a refusal', answer(403, {})],
    ['no token in the answer', answer(200, {})],
    ['an answer without an end', answer(200, { token: 'x'.repeat(300_000) })],
  ])('says so of %s', async (_, reply) => {
    await expect(tokensOf(reply).tokens.renew(asked)).rejects.toMatchObject({ code: 'registry-unauthorized' });
  });
});

describe('challengeOf', () => {
  it.each<[string | string[] | undefined, string | undefined]>([
    ['Bearer realm="https://a/t",service="s"', 'https://a/t'],
    [['Basic realm="r"', 'bearer realm="https://a/t"'], 'https://a/t'],
    ['Bearer realm="/t"', undefined],
    ['Basic realm="https://a/t"', undefined],
    [undefined, undefined],
  ])('reads %j', (header, realm) => {
    expect(challengeOf(header)?.realm.href).toBe(realm);
  });
});
