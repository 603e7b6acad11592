import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { at, conditionOf, isTrue, numberAt, recordsAt, textAt } from './fields.js';
import { identityCredentials } from './identity.js';
import { packedTexts, unpackedTexts } from './long-texts.js';
import { type KubeObject, kinds } from './objects.js';
import { memoryApi } from './testing/memory-api.js';
import { fileTokens } from './token-file.js';
import { requestToken } from './token-request.js';
import { waitUntil } from './wait.js';
import { podsOf, troublesOf } from './workloads.js';

const object = (rest: Record<string, unknown>, kind = 'Deployment', generation = 2): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'x', namespace: 'a', generation },
  ...rest,
});

describe('fields', () => {
  const value = { a: [{ b: 'text', n: 3 }, 'no record'], s: 'abc' };

  it('are found by names and places, and are nothing where a step leads nowhere', () => {
    expect([at(value, 'a', 0, 'b'), at(value, 'a', 'b'), at(value, 's', 0), at(value, 'a', 9, 'b'), at(value)]).toEqual(
      ['text', undefined, undefined, undefined, value],
    );
    expect([textAt(value, 'a', 0, 'b'), textAt(value, 'a', 0, 'n'), textAt(value, 'z')]).toEqual(['text', '', '']);
    expect([numberAt(value, 'a', 0, 'n'), numberAt(value, 'a', 0, 'b')]).toEqual([3, undefined]);
    expect([recordsAt(value, 'a'), recordsAt(value, 's')]).toEqual([[{ b: 'text', n: 3 }], []]);
  });

  it('of a condition are texts, empty where there is none', () => {
    const ready = { type: 'Ready', status: 'True', reason: 'R', message: 'M', lastTransitionTime: 'T' };
    const one = object({ status: { conditions: [{ type: 'Other', status: 'True' }, ready] } });
    expect(conditionOf(one, 'Ready')).toEqual(ready);
    expect(conditionOf(one, 'Other')).toEqual({
      type: 'Other',
      status: 'True',
      reason: '',
      message: '',
      lastTransitionTime: '',
    });
    expect([conditionOf(one, 'None'), conditionOf(undefined, 'Ready')]).toEqual([undefined, undefined]);
    const unready = object({ status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    expect([isTrue(one, 'Ready'), isTrue(unready, 'Ready'), isTrue(undefined, 'Ready')]).toEqual([true, false, false]);
  });
});

describe('long texts', () => {
  it('stay as they are while they are short', () => {
    const texts = { a: 'x'.repeat(512 * 1024 - 1), b: 'y' };
    expect(packedTexts(texts)).toEqual({ data: texts });
  });

  it('are packed, the longest first, until the rest is short, and come back', () => {
    const texts = { a: 'x'.repeat(300_000), b: 'y'.repeat(400_000), c: 'z' };
    const { data, binaryData } = packedTexts(texts);
    expect([Object.keys(data), Object.keys(binaryData ?? {})]).toEqual([['a', 'c'], ['b.gz']]);
    expect(gunzipSync(Buffer.from(binaryData?.['b.gz'] ?? '', 'base64')).toString()).toBe(texts.b);
    expect(unpackedTexts(object({ data, binaryData }))).toEqual(texts);
    expect(unpackedTexts(object({}))).toEqual({});
    expect(unpackedTexts(object({ binaryData: { 'b.gz': 'AAAA' } }))).toBeUndefined();
  });
});

describe('a token', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcprt-token-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('of a file is read again after a minute, and kept while the file is away', async () => {
    let now = 0;
    const seen: string[] = [];
    const file = join(folder, 'token');
    const tokens = fileTokens(file, { onSecrets: (told) => void seen.push(...told) }, () => now);
    await expect(tokens.current()).rejects.toMatchObject({ code: 'kubeconfig-invalid' });
    writeFileSync(file, ' one\n');
    expect(await tokens.current()).toBe('one');
    writeFileSync(file, 'two');
    now = 59_999;
    expect(await tokens.current()).toBe('one');
    now = 60_000;
    expect(await tokens.current()).toBe('two');
    rmSync(file);
    now = 200_000;
    expect(await tokens.current()).toBe('two');
    expect(tokens.refused('two')).toBe(false);
    expect(seen).toEqual(['one', 'two']);
    // One that is written beside the file's name is the one until there is a file.
    const both = fileTokens(file, { token: 'written', onSecrets: () => undefined }, () => now);
    expect(await both.current()).toBe('written');
    writeFileSync(file, 'three');
    now = 400_000;
    expect(await both.current()).toBe('three');
  });

  it('of an account is asked for at the account', async () => {
    const calls: unknown[] = [];
    const api = memoryApi();
    const status = { token: 't', expirationTimestamp: '2026-01-01T00:00:00Z' };
    const cluster = {
      ...api.cluster,
      create: async (kind: unknown, body: unknown) => {
        calls.push(kind, body);
        return { ...(body as KubeObject), status };
      },
    } as typeof api.cluster;
    const account = { namespace: 'kube-system', name: 'mcprt-backup' };
    expect(await requestToken(cluster, account, 600)).toEqual({ token: 't', ends: new Date('2026-01-01T00:00:00Z') });
    expect(calls).toEqual([
      expect.objectContaining({
        group: '',
        version: 'v1',
        plural: 'serviceaccounts/mcprt-backup/token',
        namespaced: true,
      }),
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: account,
        spec: { expirationSeconds: 600 },
      },
    ]);
  });
});

describe('an identity', () => {
  const tokens = { current: async () => 't', refused: () => false };
  const options = { server: 'https://a:6443', certificateAuthority: 'PEM', tokens };
  const token = (claims: object): string => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

  it('is shown with each request, over the given CA only', () => {
    expect(identityCredentials(options)).toMatchObject({
      server: 'https://a:6443',
      context: 'identity',
      headers: {},
      tokens,
      tls: { ca: 'PEM' },
      secrets: [],
    });
    expect(identityCredentials({ ...options, certificateAuthority: '' }).tls).toEqual({});
  });

  it('that is refused is told by its claims', () => {
    const refusal = (claims: object) => identityCredentials(options).explainRefusal?.(token(claims));
    const claims = { repository: 'a/b', environment: 'e', ref: 'r', event_name: 'push', aud: ['x', 'y'], iss: 'i' };
    expect(refusal(claims)).toMatchObject({
      code: 'identity-refused',
      message: expect.stringContaining('https://a:6443'),
      why: expect.stringMatching(
        /^repository: a\/b\nenvironment: e\nref: r\nevent_name: push\naudience: x y\nissuer: i\none of these/,
      ),
    });
    expect(refusal({ ref: 3 })?.why).toMatch(/environment: \(none\)\nref: \(none\)[\s\S]*names no environment/);
    expect(refusal({ ref: 'r'.repeat(300) })?.why).toContain(`ref: ${'r'.repeat(200)}\n`);
  });
});

describe('a wait', () => {
  const options = { what: 'it', deadline: 40, signal: new AbortController().signal, progress: () => undefined };
  const present = (objects: readonly KubeObject[]): string => (objects.length > 0 ? '' : 'none is there');
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } };

  it('is over when what is wanted is there, comes, or goes', async () => {
    const api = memoryApi();
    const coming = waitUntil(api.cluster, kinds.namespace, present, { ...options, deadline: 60_000 });
    setTimeout(() => api.put(namespace), 20);
    await coming;
    // Where all is there at once, there is nothing to tell.
    const told: string[] = [];
    await waitUntil(api.cluster, kinds.namespace, present, { ...options, progress: (why) => void told.push(why) });
    expect(told).toEqual([]);
    const going = waitUntil(api.cluster, kinds.namespace, (all) => (all.length === 0 ? '' : 'one is left'), {
      ...options,
      deadline: 60_000,
    });
    setTimeout(() => api.remove(kinds.namespace, { name: 'n' }), 20);
    await going;
  });

  it('tells why when its time is up, at once and not again for the same reason', async () => {
    const told: string[] = [];
    const wait = waitUntil(memoryApi().cluster, kinds.namespace, present, {
      ...options,
      progress: (why) => void told.push(why),
    });
    await expect(wait).rejects.toMatchObject({
      code: 'cluster-wait',
      message: expect.stringMatching(/^waited 0 s for it$/),
      why: 'none is there',
    });
    expect(told).toEqual(['none is there']);
  });

  it('ends with the reason of a cancel', async () => {
    const reason = new Error('cancelled');
    const aborted = { ...options, deadline: 60_000, signal: AbortSignal.abort(reason) };
    await expect(waitUntil(memoryApi().cluster, kinds.namespace, present, aborted)).rejects.toBe(reason);
  });

  it('goes on after a watch that breaks', async () => {
    const api = memoryApi();
    let broken = 0;
    const watch: typeof api.cluster.watch = async function* () {
      broken += 1;
      if (broken === 1) api.put(namespace);
      yield* [];
      throw new Error('cut');
    };
    await waitUntil({ ...api.cluster, watch }, kinds.namespace, present, { ...options, deadline: 60_000 });
    expect(broken).toBe(1);
  });
});

describe('a workload', () => {
  it('has the pods that its selector names, in its namespace', () => {
    const pod = (name: string, namespace: string, labels?: Record<string, string>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, ...(labels ? { labels } : {}) },
    });
    const pods = [
      pod('yes', 'a', { k: 'v', l: 'w', m: 'x' }),
      pod('half', 'a', { k: 'v' }),
      pod('far', 'b', { k: 'v', l: 'w' }),
      pod('bare', 'a'),
    ];
    const named = (spec: object) => podsOf(object({ spec }), pods).map(({ metadata }) => metadata.name);
    expect(named({ selector: { matchLabels: { k: 'v', l: 'w' } } })).toEqual(['yes']);
    expect([named({}), named({ selector: { matchLabels: null } }), named({ selector: { matchLabels: {} } })]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('tells what containers do instead of running', () => {
    const status = (name: string, rest: object) => ({ name, image: 'i', ...rest });
    const pod = object({
      status: {
        containerStatuses: [
          status('pull', { state: { waiting: { reason: 'ImagePullBackOff', message: 'm' } } }),
          status('crash', {
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { message: 'last', exitCode: 3 } },
            restartCount: 4,
          }),
          status('ended', { state: { terminated: { reason: 'Error', message: 'now', exitCode: 7 } } }),
          ...['ContainerCreating', 'PodInitializing'].map((reason) =>
            status(reason, { state: { waiting: { reason } } }),
          ),
          status('fine', { state: { terminated: { reason: 'Completed' } } }),
          status('runs', { state: { running: {} } }),
        ],
        initContainerStatuses: [status('first', { state: { terminated: { reason: 'OOMKilled' } } })],
      },
    });
    const trouble = { image: 'i', role: 'container', message: '', ended: '', exitCode: undefined, restarts: 0 };
    expect(troublesOf(pod)).toEqual([
      { ...trouble, container: 'first', role: 'init container', reason: 'OOMKilled', ended: 'OOMKilled' },
      { ...trouble, container: 'pull', reason: 'ImagePullBackOff', message: 'm' },
      { ...trouble, container: 'crash', reason: 'CrashLoopBackOff', message: 'last', exitCode: 3, restarts: 4 },
      { ...trouble, container: 'ended', reason: 'Error', ended: 'Error', message: 'now', exitCode: 7 },
    ]);
  });
});
