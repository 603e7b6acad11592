import { describe, expect, it } from '@jest/globals';
import { kinds } from '../cluster/objects.js';
import { covers, type Granted, lackingOf } from './review.js';
import { type Demand, type PermissionRule, wordsOf } from './rule.js';
import { askedCluster } from './testing/asked-cluster.js';

const demand = (fields: Partial<Demand> = {}): Demand => ({
  verb: 'get',
  group: '',
  plural: 'pods',
  subresource: '',
  namespace: undefined,
  name: undefined,
  ...fields,
});
const granted = (fields: Partial<Granted> = {}): Granted => ({
  verbs: ['get'],
  apiGroups: [''],
  resources: ['pods'],
  resourceNames: [],
  ...fields,
});

describe('covers', () => {
  it.each<[string, Granted, Demand, boolean]>([
    ['the same', granted(), demand(), true],
    ['every verb', granted({ verbs: ['*'] }), demand({ verb: 'delete' }), true],
    ['another verb', granted(), demand({ verb: 'list' }), false],
    ['every resource', granted({ resources: ['*'] }), demand({ subresource: 'log' }), true],
    ['a sub-resource of all', granted({ resources: ['*/log'] }), demand({ subresource: 'log' }), true],
    ['a sub-resource is not its resource', granted(), demand({ subresource: 'log' }), false],
    ['a resource is not its sub-resource', granted({ resources: ['pods/log'] }), demand(), false],
    ['another group', granted(), demand({ group: 'apps' }), false],
    ['a name', granted({ resourceNames: ['one'] }), demand({ name: 'one' }), true],
    ['another name', granted({ resourceNames: ['one'] }), demand({ name: 'two' }), false],
    ['any name is more than one', granted({ resourceNames: ['one'] }), demand(), false],
  ])('%s', (_, rule, wanted, expected) => {
    expect(covers(rule, wanted)).toBe(expected);
  });
});

const rules: PermissionRule[] = [
  { on: kinds.pod, verbs: ['get'], because: 'a test' },
  { on: kinds.pod, verbs: ['list'], namespace: 'web', because: 'a test' },
  { on: kinds.pod, verbs: ['watch'], namespace: 'web', optional: true, because: 'a test' },
];
const wordsIn = async (...parameters: Parameters<typeof lackingOf>): Promise<string[] | undefined> =>
  (await lackingOf(...parameters))?.map(wordsOf);

describe('lackingOf', () => {
  it('asks once for the cluster and once for each namespace where all is granted', async () => {
    const { cluster, questions } = askedCluster({ '-': [granted()], web: [granted({ verbs: ['list'] })] });
    expect(await wordsIn(cluster, rules)).toEqual([]);
    expect(questions.sort()).toEqual(['-', 'web']);
  });

  it('does not take a grant in a namespace for one in the whole cluster', async () => {
    const { cluster } = askedCluster({ web: [granted({ verbs: ['get', 'list'] })] });
    expect(await wordsIn(cluster, rules)).toEqual(['get pods']);
  });

  it('asks again for what an authorizer does not list', async () => {
    const { cluster } = askedCluster({ '-': [granted()] }, { allow: 'list' });
    expect(await wordsIn(cluster, rules)).toEqual([]);
  });

  it.each([
    [[], []],
    [['web'], ['list pods in web']],
  ])('demands nothing in a namespace that may be away and is: %j', async (namespaces, expected) => {
    const { cluster } = askedCluster({ '-': [granted()] }, { namespaces });
    expect(
      await wordsIn(
        cluster,
        rules.map((one) => ({ ...one, ifPresent: true as const })),
      ),
    ).toEqual(expected);
  });

  it.each([403, 404, 405])('knows nothing where the question itself is answered with %s', async (deny) => {
    expect(await lackingOf(askedCluster({}, { deny }).cluster, rules)).toBeUndefined();
  });

  it('fails as the cluster does otherwise', async () => {
    await expect(lackingOf(askedCluster({}, { deny: 401 }).cluster, rules)).rejects.toMatchObject({
      code: 'cluster-unauthorized',
    });
  });
});
