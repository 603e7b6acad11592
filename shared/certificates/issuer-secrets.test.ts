import { describe, expect, it } from '@jest/globals';
import { issuerSecretPaths, issuerSecretRefs } from './issuer-secrets.js';

/** A spec with one reference at a path, as the API has it there. */
function specWith(path: string): Record<string, unknown> {
  const isText = path.endsWith('secretName');
  return path
    .split('.')
    .reduceRight<unknown>(
      (inner, step) => ({ [step.replace('[]', '')]: step.endsWith('[]') ? [inner] : inner }),
      isText ? 'named' : { name: 'named', key: 'k' },
    ) as Record<string, unknown>;
}

describe('Secrets of an issuer', () => {
  it.each(issuerSecretPaths)('are found at %s', (path, use) => {
    expect(issuerSecretRefs(specWith(path))).toEqual([{ use, name: 'named', path, isGuess: false }]);
  });

  it.each<[string, unknown, string[]]>([
    ['usernameSecretKeyRef', { name: 'a', key: 'k' }, ['a']],
    ['passwordSecretKeyRef', { name: 'a', key: 'k' }, ['a']],
    ['tokenSecretRef', { name: 'a', key: 'k' }, ['a']],
    ['apiKeyRef', { name: 'a' }, ['a']],
    ['secretName', 'a', ['a']],
    ['credentialsSecretName', 'a', ['a']],
    ['secretNames', ['a', 'b'], ['a', 'b']],
    ['secretRef', { namespace: 'elsewhere', name: 'a' }, ['elsewhere/a']],
    ['secret', 'Not A Name', []],
    ['zone', 'example.com', []],
  ])('are guessed from %s of a webhook', (key, value, wanted) => {
    const spec = { acme: { solvers: [{ dns01: { webhook: { config: { deeper: [{ [key]: value }] } } } }] } };
    const found = issuerSecretRefs(spec);
    expect(found.map(({ name, namespace }) => (namespace === undefined ? name : `${namespace}/${name}`))).toEqual(
      wanted,
    );
    expect(found.every(({ isGuess }) => isGuess)).toBe(true);
  });

  it('end where a configuration is deeper than any person writes', () => {
    const config = Array.from({ length: 10_000 }).reduce<object>((inner) => ({ a: inner }), { secretName: 'x' });
    expect(issuerSecretRefs({ acme: { solvers: [{ dns01: { webhook: { config } } }] } })).toEqual([]);
  });
});
