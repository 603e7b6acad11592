import { describe, expect, it } from '@jest/globals';
import { kinds } from '../cluster/objects.js';
import { demandsOf, distinct, includes, type PermissionRule, readsOf, wordsOf } from './rule.js';

const rule = (fields: Partial<PermissionRule>): PermissionRule => ({
  on: kinds.secret,
  verbs: ['get'],
  because: 'a test',
  ...fields,
});

describe('wordsOf', () => {
  it.each([
    [rule({}), 'get secrets'],
    [rule({ on: kinds.deployment, namespace: 'web' }), 'get deployments.apps in web'],
    [rule({ names: ['one'], namespace: 'web' }), 'get secrets one in web'],
    [rule({ on: kinds.certificate, subresource: 'status' }), 'get certificates.cert-manager.io/status'],
  ])('says what is demanded', (given, words) => {
    expect(demandsOf(given).map(wordsOf)).toEqual([words]);
  });
});

describe('readsOf', () => {
  it('leaves what looks only', () => {
    const rules = [rule({ verbs: ['get', 'patch'] }), rule({ verbs: ['create'] })];
    expect(readsOf(rules)).toEqual([rule({ verbs: ['get'] })]);
  });
});

describe('distinct', () => {
  it.each<[string, PermissionRule[], string[]]>([
    ['keeps one of two that are the same', [rule({}), rule({})], ['get secrets']],
    ['keeps the wider of two names', [rule({ names: ['one'] }), rule({})], ['get secrets']],
    ['keeps the wider of two places', [rule({ namespace: 'web' }), rule({})], ['get secrets']],
    [
      'keeps a demand beside a wider rule that is optional',
      [rule({ names: ['one'] }), rule({ optional: true })],
      ['get secrets one', 'get secrets'],
    ],
    ['keeps the demanded one of two that are the same', [rule({ optional: true }), rule({})], ['get secrets']],
    [
      'keeps different verbs',
      [rule({ verbs: ['get', 'list'] }), rule({ verbs: ['list', 'watch'] })],
      ['get secrets', 'list secrets', 'watch secrets'],
    ],
  ])('%s', (_, rules, words) => {
    expect(distinct(rules).flatMap(demandsOf).map(wordsOf)).toEqual(words);
  });

  it('keeps what is demanded demanded', () => {
    expect(distinct([rule({ optional: true }), rule({})])[0]?.optional).toBeUndefined();
  });
});

describe('includes', () => {
  it('is not turned around', () => {
    const [wide] = demandsOf(rule({}));
    const [narrow] = demandsOf(rule({ names: ['one'], namespace: 'web' }));
    if (wide === undefined || narrow === undefined) throw new Error('no demand');
    expect([includes(wide, narrow), includes(narrow, wide)]).toEqual([true, false]);
  });
});
