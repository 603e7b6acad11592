import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { openCluster } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { covers, type Granted, lackingOf } from './review.js';
import { type Demand, type PermissionRule, wordsOf } from './rule.js';

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

/** A cluster that grants rules by namespace (`-`: everywhere), and counts its questions. */
function asked(byNamespace: Record<string, Granted[]>, { namespaces = [] as string[], deny = 0, allow = '' } = {}) {
  const questions: string[] = [];
  const cluster = openCluster({
    async call({ path, body }) {
      const spec = JSON.parse(body ?? '{}').spec ?? {};
      if (deny > 0) throw new ApiError(deny, 'Forbidden', 'no', path);
      questions.push(spec.namespace ?? spec.resourceAttributes?.verb ?? path);
      if (path.includes('rulesreviews')) {
        const rules = [
          ...(byNamespace['-'] ?? []),
          ...(spec.namespace === '-' ? [] : (byNamespace[spec.namespace] ?? [])),
        ];
        return answer({ kind: 'SelfSubjectRulesReview', metadata: {}, status: { resourceRules: rules } });
      }
      if (path.includes('accessreviews')) {
        return answer({
          kind: 'SelfSubjectAccessReview',
          metadata: {},
          status: { allowed: spec.resourceAttributes.verb === allow },
        });
      }
      const name = decodeURIComponent(path).match(/metadata\.name=([a-z-]+)/)?.[1] ?? '';
      const items = namespaces.includes(name) ? [{ metadata: { name } }] : [];
      return answer({ kind: 'NamespaceList', metadata: {}, items });
    },
    lines: () => {
      throw new Error('nothing is watched');
    },
    webSocket: () => {
      throw new Error('nothing is opened');
    },
    serverTime: () => undefined,
    calls: 0,
    close: async () => undefined,
  });
  return { cluster, questions };
}

function answer(body: unknown): { status: number; body: string } {
  return { status: 200, body: JSON.stringify(body) };
}

const rules: PermissionRule[] = [
  { on: kinds.pod, verbs: ['get'], because: 'a test' },
  { on: kinds.pod, verbs: ['list'], namespace: 'web', because: 'a test' },
  { on: kinds.pod, verbs: ['watch'], namespace: 'web', optional: true, because: 'a test' },
];
const wordsIn = async (...parameters: Parameters<typeof lackingOf>): Promise<string[] | undefined> =>
  (await lackingOf(...parameters))?.map(wordsOf);

describe('lackingOf', () => {
  it('asks once for the cluster and once for each namespace where all is granted', async () => {
    const { cluster, questions } = asked({ '-': [granted()], web: [granted({ verbs: ['list'] })] });
    expect(await wordsIn(cluster, rules)).toEqual([]);
    expect(questions.sort()).toEqual(['-', 'web']);
  });

  it('does not take a grant in a namespace for one in the whole cluster', async () => {
    const { cluster } = asked({ web: [granted({ verbs: ['get', 'list'] })] });
    expect(await wordsIn(cluster, rules)).toEqual(['get pods']);
  });

  it('asks again for what an authorizer does not list', async () => {
    const { cluster } = asked({ '-': [granted()] }, { allow: 'list' });
    expect(await wordsIn(cluster, rules)).toEqual([]);
  });

  it.each([
    [[], []],
    [['web'], ['list pods in web']],
  ])('demands nothing in a namespace that may be away and is: %j', async (namespaces, expected) => {
    const { cluster } = asked({ '-': [granted()] }, { namespaces });
    expect(
      await wordsIn(
        cluster,
        rules.map((one) => ({ ...one, ifPresent: true as const })),
      ),
    ).toEqual(expected);
  });

  it.each([403, 404, 405])('knows nothing where the question itself is answered with %s', async (deny) => {
    expect(await lackingOf(asked({}, { deny }).cluster, rules)).toBeUndefined();
  });

  it('fails as the cluster does otherwise', async () => {
    await expect(lackingOf(asked({}, { deny: 401 }).cluster, rules)).rejects.toMatchObject({
      code: 'cluster-unauthorized',
    });
  });
});
