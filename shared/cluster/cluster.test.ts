import { describe, expect, it, jest } from '@jest/globals';
import { ApiError, apiErrorFrom } from './api-error.js';
import { isConflict, isNotFound, objectOf, openCluster } from './cluster.js';
import { type KubeObject, kinds } from './objects.js';
import type { Call, Transport } from './transport.js';

const secret = objectOf(kinds.secret, { metadata: { namespace: 'a', name: 'b' } });
const pod = { namespace: 'a', name: 'p' };

/** A cluster whose API server gives these answers in turn, the last one for ever, and what it was asked. */
function answering(...answers: (string | object | Error)[]) {
  const calls: Call[] = [];
  const next = (): string => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return typeof answer === 'string' ? answer : JSON.stringify(answer);
  };
  const transport: Transport = {
    async call(call) {
      calls.push(call);
      return { status: 200, body: next() };
    },
    async *lines(call) {
      calls.push(call);
      for (const line of next().split('\n')) yield line;
    },
    webSocket: async (path, protocol) => ({ path, protocol }) as never,
    serverTime: () => new Date(0),
    calls: 7,
    close: async () => undefined,
  };
  const asked = (): unknown[] =>
    calls.map(({ method, path, body, contentType }) => [
      `${method} ${path}`,
      ...(body === undefined ? [] : [JSON.parse(body)]),
      ...(contentType === undefined ? [] : [contentType]),
    ]);
  return { cluster: openCluster(transport), calls, asked };
}

const error = (status: number, reason = 'R', detail = ''): ApiError => new ApiError(status, reason, detail, 'X');
const list = (items: unknown[], metadata: object = { resourceVersion: '5' }): object => ({ items, metadata });

describe('what is sent', () => {
  it('names the owner of the fields, and lets the API server refuse what it does not know', async () => {
    const { cluster, asked } = answering(secret);
    await cluster.create(kinds.secret, secret);
    await cluster.create(kinds.secret, secret, { dryRun: true });
    await cluster.apply(kinds.secret, secret);
    await cluster.apply(kinds.secret, secret, { force: true, manager: 'm', dryRun: true });
    await cluster.replace(kinds.secret, secret, 'status');
    await cluster.patch(kinds.secret, pod, [{ op: 'remove', path: '/x' }]);
    await cluster.patch(kinds.secret, pod, [{ op: 'remove', path: '/x' }], 'status');
    const at = '/api/v1/namespaces/a/secrets';
    const [json, apply] = ['application/json', 'application/apply-patch+yaml'];
    const patch = [[{ op: 'remove', path: '/x' }], 'application/json-patch+json'];
    expect(asked()).toEqual([
      [`POST ${at}?fieldManager=mcprt&fieldValidation=Strict`, secret, json],
      [`POST ${at}?fieldManager=mcprt&dryRun=All&fieldValidation=Strict`, secret, json],
      [`PATCH ${at}/b?fieldManager=mcprt&force=false&fieldValidation=Strict`, secret, apply],
      [`PATCH ${at}/b?fieldManager=m&force=true&dryRun=All&fieldValidation=Strict`, secret, apply],
      [`PUT ${at}/b/status?fieldManager=mcprt`, secret, json],
      [`PATCH ${at}/p?fieldManager=mcprt`, ...patch],
      [`PATCH ${at}/p/status?fieldManager=mcprt`, ...patch],
    ]);
    expect(cluster.writes).toBe(5);
  });

  it('deletes in the background, and the very object where one is meant', async () => {
    const { cluster, asked } = answering({});
    expect(await cluster.delete(kinds.secret, pod)).toBe(true);
    await cluster.delete(kinds.secret, pod, { uid: 'u', propagation: 'Foreground' });
    expect(asked()).toEqual([
      ['DELETE /api/v1/namespaces/a/secrets/p', { propagationPolicy: 'Background' }],
      ['DELETE /api/v1/namespaces/a/secrets/p', { propagationPolicy: 'Foreground', preconditions: { uid: 'u' } }],
    ]);
    expect(cluster.writes).toBe(2);
  });

  it('counts a question as no write', async () => {
    const { cluster } = answering(secret);
    await cluster.create(kinds.selfSubjectAccessReview, secret);
    await cluster.get(kinds.secret, pod);
    expect(cluster.writes).toBe(0);
  });

  it('selects, and asks page by page until there is none', async () => {
    const one = { metadata: { name: 'x' } };
    const { cluster, asked } = answering(list([one], { continue: 'c=' }), list([one]));
    const found = await cluster.list(kinds.secret, { namespace: 'a', labelSelector: 'l=1', fieldSelector: 'type=t' });
    const item = { apiVersion: 'v1', kind: 'Secret', ...one };
    expect(found).toEqual({ items: [item, item], resourceVersion: '5' });
    const at = 'GET /api/v1/namespaces/a/secrets?labelSelector=l%3D1&fieldSelector=type%3Dt&limit=500';
    expect(asked()).toEqual([[at], [`${at}&continue=c%3D`]]);
  });

  it('asks for logs, sockets, groups and the version', async () => {
    const { cluster, asked } = answering(
      'text',
      'text',
      { groups: [{ name: 'g', versions: [{ version: 'v1' }] }, 3] },
      {
        gitVersion: 'v1.36.3',
      },
    );
    const { signal } = new AbortController();
    expect(await cluster.logs(pod, { container: 'c', lines: 9, previous: false, signal })).toBe('text');
    await cluster.logs(pod, { container: 'c', lines: 9, previous: true, signal });
    expect(await cluster.groups()).toEqual(new Map([['g', ['v1']]]));
    expect(await cluster.version()).toBe('v1.36.3');
    expect(await cluster.webSocket(pod, 'portforward', 'p')).toEqual({
      path: '/api/v1/namespaces/a/pods/p/portforward',
      protocol: 'p',
    });
    const log = 'GET /api/v1/namespaces/a/pods/p/log?container=c&tailLines=9&limitBytes=1048576';
    expect(asked()).toEqual([[log], [`${log}&previous=true`], ['GET /apis'], ['GET /version']]);
    expect([cluster.calls, cluster.serverTime()]).toEqual([7, new Date(0)]);
  });

  it('takes nothing for groups and version where the answer is another one', async () => {
    const { cluster } = answering({ groups: 'none' }, [], { groups: [{ name: 'g' }] });
    expect(await cluster.groups()).toEqual(new Map());
    expect(await cluster.version()).toBe('');
    expect(await cluster.groups()).toEqual(new Map([['g', []]]));
  });
});

describe('what comes back', () => {
  it('is nothing where there is none, or its kind is not served', async () => {
    const { cluster } = answering(error(404));
    expect(await cluster.get(kinds.secret, pod)).toBeUndefined();
    expect(await cluster.list(kinds.secret)).toEqual({ items: [], resourceVersion: '' });
    expect(await cluster.delete(kinds.secret, pod)).toBe(false);
    expect(await answering(error(404, 'NotFound', 'gone')).cluster.refusal(pod, 's')).toBe('gone');
  });

  it('is the refusal for every other reason', async () => {
    const { cluster } = answering(error(403));
    await expect(cluster.get(kinds.secret, pod)).rejects.toMatchObject({ code: 'cluster-forbidden' });
    await expect(cluster.list(kinds.secret)).rejects.toMatchObject({ code: 'cluster-forbidden' });
    await expect(cluster.delete(kinds.secret, pod)).rejects.toMatchObject({ code: 'cluster-forbidden' });
    expect(await answering(error(403, 'F', 'no')).cluster.refusal(pod, 's')).toBe('no');
    expect(await answering(error(400, 'F', 'upgrade')).cluster.refusal(pod, 's')).toBe('');
    expect(await answering(new Error('cut')).cluster.refusal(pod, 's')).toBe('cut');
    expect(await answering('{}').cluster.refusal(pod, 's')).toBe('');
  });

  it.each([
    ['no JSON', 'nonsense {', 'NotJson'],
    ['an array', [], 'NotAnObject'],
    ['without a kind', { metadata: {} }, 'NotAnObject'],
    ['of a kind that is no text', { kind: 1, metadata: {} }, 'NotAnObject'],
    ['without metadata', { kind: 'Secret' }, 'NotAnObject'],
  ])('is no object: %s', async (_, answer, reason) => {
    await expect(answering(answer).cluster.get(kinds.secret, pod)).rejects.toMatchObject({ status: 502, reason });
  });

  it.each([
    ['an array', []],
    ['without items', { metadata: {} }],
    ['without metadata', { items: [] }],
    ['with an item that is none', list([1])],
    ['with an item without metadata', list([{}])],
    ['with an item without a name', list([{ metadata: { name: 1 } }])],
  ])('is no list: %s', async (_, answer) => {
    await expect(answering(answer).cluster.list(kinds.secret)).rejects.toMatchObject({
      status: 502,
      reason: 'NotAList',
    });
  });

  it('is a list that does not end', async () => {
    const { cluster, calls } = answering(list([{ metadata: { name: 'x' } }], { continue: 'again' }));
    await expect(cluster.list(kinds.secret)).rejects.toMatchObject({ code: 'cluster-too-large' });
    expect(calls).toHaveLength(400);
  });

  it('is a list that is too large, or takes too long, before its next page is read', async () => {
    const page = list([{ metadata: { name: 'x' } }], { continue: 'again' });
    const large = answering(JSON.stringify(page).padEnd(128 * 1024 * 1024));
    await expect(large.cluster.list(kinds.secret)).rejects.toMatchObject({ code: 'cluster-too-large' });
    // Four of them are just what a list may have.
    expect(large.calls).toHaveLength(5);

    const slow = answering(page);
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => slow.calls.length * 100_000);
    await expect(slow.cluster.list(kinds.secret)).rejects.toMatchObject({ code: 'cluster-too-large' });
    clock.mockRestore();
    expect(slow.calls).toHaveLength(4);
  });

  it('is changed meanwhile where the test of a patch failed, and invalid where the object is', async () => {
    const tested = [{ op: 'test', path: '/a', value: 1 } as const];
    const untested = [{ op: 'remove', path: '/a' } as const];
    const patched = (one: Error, operations: Parameters<ReturnType<typeof openCluster>['patch']>[2]) =>
      answering(one).cluster.patch(kinds.secret, pod, operations);
    await expect(patched(error(422, 'Invalid', 'rejected'), tested)).rejects.toMatchObject({
      status: 409,
      reason: 'Conflict',
      code: 'cluster-conflict',
    });
    for (const [one, operations] of [
      [error(422, 'Invalid', 'rejected'), untested],
      [error(422, 'Invalid', 'Secret "p" is invalid: data'), tested],
      [error(400), tested],
      [new Error('cut'), tested],
    ] as const) {
      await expect(patched(one, [...operations])).rejects.toBe(one);
    }
  });

  it('is told apart by its status', () => {
    expect([404, 409, 403].map((status) => [isNotFound(error(status)), isConflict(error(status))])).toEqual([
      [true, false],
      [false, true],
      [false, false],
    ]);
    expect([isNotFound({ status: 404 }), isConflict({ status: 409 })]).toEqual([false, false]);
  });
});

describe('a watch', () => {
  const event = (type: string, object: unknown): string => JSON.stringify({ type, object });
  const events = async (...lines: string[]) => {
    const { cluster, asked } = answering(lines.join('\n'));
    const found: [string, KubeObject][] = [];
    const options = { namespace: 'a', labelSelector: 'l', resourceVersion: '9', signal: new AbortController().signal };
    for await (const { type, object } of cluster.watch(kinds.secret, options)) found.push([type, object]);
    return { found, asked: asked() };
  };

  it('tells of objects, and passes over bookmarks and what is no event', async () => {
    const { found, asked } = await events(
      event('BOOKMARK', { metadata: {} }),
      '[]',
      event('ADDED', 'text'),
      event('ADDED', secret),
      JSON.stringify({ type: 1, object: secret }),
      event('DELETED', secret),
    );
    expect(found).toEqual([
      ['ADDED', secret],
      ['DELETED', secret],
    ]);
    expect(asked).toEqual([
      ['GET /api/v1/namespaces/a/secrets?labelSelector=l&watch=true&allowWatchBookmarks=true&resourceVersion=9'],
    ]);
  });

  it('ends with the error that it is told of, and with an object that is none', async () => {
    await expect(events(event('ERROR', { message: 'too old' }))).rejects.toMatchObject({
      status: 410,
      reason: 'Expired',
      detail: '"too old"',
    });
    await expect(events(event('ERROR', {}))).rejects.toMatchObject({ detail: '""' });
    await expect(events(event('ADDED', {}))).rejects.toMatchObject({ status: 502, reason: 'NotAnObject' });
  });
});

describe('a refusal', () => {
  it.each([
    [401, 'Unauthorized', 'cluster-unauthorized', 'renew the kubeconfig'],
    [403, 'Forbidden', 'cluster-forbidden', 'grant the verb'],
    [404, 'NotFound', 'cluster-not-found', 'see the server’s message'],
    [409, 'AlreadyExists', 'cluster-exists', 'at the same time'],
    [409, 'Conflict', 'cluster-conflict', 'at the same time'],
    [422, 'Invalid', 'cluster-invalid', 'see the server’s message'],
    [429, 'TooManyRequests', 'cluster-throttled', 'fewer requests'],
    [500, 'InternalError', 'cluster-unavailable', 'overloaded or starting'],
    [503, 'ServiceUnavailable', 'cluster-unavailable', 'overloaded or starting'],
    [400, 'BadRequest', 'cluster-refused', 'see the server’s message'],
    [499, 'Unknown', 'cluster-refused', 'see the server’s message'],
  ])('of status %i %s is %s', (status, reason, code, next) => {
    expect(error(status, reason, 'd')).toMatchObject({
      code,
      status,
      reason,
      detail: 'd',
      message: `X: ${status} ${reason}`,
      why: 'd',
      next: expect.stringContaining(next),
    });
    expect(error(status, reason).why).toBe('the API server gave no reason');
  });

  it('in a namespace that is being deleted says so, whatever the account may do', () => {
    const detail = 'unable to create new content in namespace a because it is being terminated';
    expect(error(403, 'Forbidden', detail)).toMatchObject({
      code: 'namespace-terminating',
      next: expect.stringContaining('kubectl get namespaces'),
    });
    expect(error(409, 'Conflict', detail).code).toBe('cluster-conflict');
  });

  it.each([
    ['a Status', { kind: 'Status', reason: 'Forbidden', message: 'm' }, 'Forbidden', 'm'],
    ['a Status without a word', { kind: 'Status' }, 'Unknown', ''],
    ['a Status of other types', { kind: 'Status', reason: 1, message: {} }, 'Unknown', ''],
    ['another object', { kind: 'Secret', reason: 'r', message: 'm' }, 'Unknown', ''],
    ['nothing', null, 'Unknown', ''],
    ['a number', 3, 'Unknown', ''],
  ])('is read from %s', (_, body, reason, detail) => {
    expect(apiErrorFrom(403, JSON.stringify(body), 'X')).toMatchObject({ status: 403, reason, detail });
  });

  it('is read from a proxy’s page as its status alone', () => {
    expect(apiErrorFrom(502, '<html>', 'X')).toMatchObject({ status: 502, reason: 'Unknown', detail: '' });
  });
});
