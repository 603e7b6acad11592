import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type KeyPair,
  makeCertificateAuthority,
  makeServerCertificate,
} from '../../lab/platform/certificate-authority.js';
import { McprtError, messageOf } from '../errors.js';
import { direct } from '../proxy.js';
import { forwardedRoute, publicRoute, type RegistryRoute } from './route.js';
import { startUpstream, type Upstream } from './testing/upstream.js';

const host = 'registry.example.com';
const internalName = 'registry.registry.svc.cluster.local';
const credentials = { username: 'platform-service', password: 'pass:word é' };
let ca: KeyPair;
let opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  ca = await makeCertificateAuthority();
});

afterEach(async () => {
  await Promise.all(opened.map((one) => one.close()));
  opened = [];
});

const kept = <T extends { close(): Promise<void> }>(one: T): T => {
  opened.push(one);
  return one;
};

const upstreamFor = async (name: string, signer = ca): Promise<Upstream> =>
  kept(await startUpstream({ tls: await makeServerCertificate([name], signer) }));

const route = (port: number, caBundle = ca.certificate): RegistryRoute =>
  kept(
    publicRoute(host, credentials, {
      overrides: [{ host, port: 443, address: '127.0.0.1', toPort: port }],
      dnsServer: '',
      caBundle,
      proxies: direct,
    }),
  );

const failure = async (attempt: Promise<unknown>): Promise<McprtError> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof McprtError)) throw new Error(`no McprtError: ${messageOf(error)}`);
  return error;
};

describe('publicRoute', () => {
  it('goes to the overridden address, with the public name in TLS and in the Host header, and with Basic credentials', async () => {
    const upstream = await upstreamFor(host);
    const answer = await route(upstream.port).request({ method: 'GET', path: '/v2/' });
    expect(answer.status).toBe(200);
    expect(await text(answer.body)).toBe('{}');
    const [seen] = upstream.requests;
    expect(seen?.headers.host).toBe(host);
    expect(Buffer.from(String(seen?.headers.authorization).replace('Basic ', ''), 'base64').toString('utf8')).toBe(
      'platform-service:pass:word é',
    );
  });

  it.each([
    ['of another name', 'other.example.com', true, 'altnames'],
    ['of a CA that is not trusted', host, false, ''],
  ])('refuses a certificate %s, and sends nothing', async (_, name, isTrusted, why) => {
    const upstream = await upstreamFor(name);
    const error = await failure(
      route(upstream.port, isTrusted ? ca.certificate : '').request({ method: 'GET', path: '/v2/' }),
    );
    expect(error.code).toBe('registry-unreachable');
    expect(error.why).toContain(why);
    expect(upstream.requests).toEqual([]);
  });

  it('names what it cannot reach, and never the password', async () => {
    const upstream = await startUpstream();
    await upstream.close();
    const error = await failure(route(upstream.port).request({ method: 'GET', path: '/v2/' }));
    expect(error.code).toBe('registry-unreachable');
    expect(error.message).toContain(host);
    expect(error.why).toContain('ECONNREFUSED');
    const secrets = ['pass:word', Buffer.from('platform-service:pass:word é').toString('base64')];
    for (const secret of secrets) expect(JSON.stringify([error.message, error.why, error.next])).not.toContain(secret);
  });

  it('survives a server that breaks the connection after an answer', async () => {
    const upstream = await upstreamFor(host);
    const way = route(upstream.port);
    for (let round = 0; round < 3; round++) {
      upstream.instead = (request, response) => {
        response.end('ok', () => request.socket.destroy());
        return true;
      };
      const answer = await way.request({ method: 'GET', path: '/v2/' });
      await text(answer.body).catch(() => undefined);
    }
    upstream.instead = undefined;
    expect((await way.request({ method: 'GET', path: '/v2/' })).status).toBe(200);
  });

  it('ends a request with the signal’s own reason', async () => {
    const upstream = await upstreamFor(host);
    upstream.instead = () => true;
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const asked = route(upstream.port).request({ method: 'GET', path: '/v2/', signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(asked).rejects.toBe(reason);
  });
});

describe('what a registry sends elsewhere for', () => {
  const names = ['auth.example.com', 'example.com', 'cdn.example.org', 'example.com.evil.org'] as const;
  const opened = async () => {
    const upstream = kept(await startUpstream({ tls: await makeServerCertificate(names, ca) }));
    const overrides = names.map((name) => ({ host: name, port: 443, address: '127.0.0.1', toPort: upstream.port }));
    const from = kept(
      publicRoute(host, credentials, { overrides, dnsServer: '', caBundle: ca.certificate, proxies: direct }),
    );
    const signal = new AbortController().signal;
    return {
      upstream,
      go: (url: string, withCredentials = true) => from.elsewhere(new URL(url), { withCredentials, signal }),
    };
  };

  it.each<[string, boolean, boolean]>([
    ['https://auth.example.com/token', true, true],
    ['https://example.com/token', true, true],
    ['https://cdn.example.org/token', true, false],
    ['https://example.com.evil.org/token', true, false],
    ['https://auth.example.com/blob', false, false],
  ])('shows the password to its own domain only, and only where it may: %s', async (url, withCredentials, isShown) => {
    const { upstream, go } = await opened();
    await go(url, withCredentials);
    expect(upstream.requests.map(({ headers }) => headers.authorization !== undefined)).toEqual([isShown]);
  });

  it('is not asked for over plain HTTP, nor is its signature told', async () => {
    const { go } = await opened();
    const error = await failure(go('http://cdn.example.org/blob?signature=secret'));
    expect(error.code).toBe('registry-elsewhere');
    expect(`${error.message} ${error.why}`).not.toContain('secret');
  });

  it('cannot be reached by a port-forward', async () => {
    const way = kept(forwardedRoute(() => Promise.reject(new Error('not this one')), undefined));
    const url = new URL('https://cdn.example.org/blob');
    const error = await failure(way.elsewhere(url, { withCredentials: false, signal: new AbortController().signal }));
    expect(error.code).toBe('registry-elsewhere');
  });
});

describe('forwardedRoute', () => {
  const forwarded = (port: number, tls?: { servername: string; ca: string }): RegistryRoute =>
    kept(forwardedRoute(async () => connect(port, '127.0.0.1'), tls));

  it('speaks plain HTTP without credentials', async () => {
    const upstream = kept(await startUpstream());
    const answer = await forwarded(upstream.port).request({ method: 'GET', path: '/v2/' });
    expect(await text(answer.body)).toBe('{}');
    expect(upstream.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('speaks TLS with the pod’s own name, verified against the platform’s CA alone', async () => {
    const upstream = await upstreamFor(internalName);
    const answer = await forwarded(upstream.port, { servername: internalName, ca: ca.certificate }).request({
      method: 'GET',
      path: '/v2/',
    });
    expect(await text(answer.body)).toBe('{}');
  });

  it('refuses a pod whose certificate another CA has signed', async () => {
    const upstream = await upstreamFor(internalName, await makeCertificateAuthority());
    const way = forwarded(upstream.port, { servername: internalName, ca: ca.certificate });
    expect((await failure(way.request({ method: 'GET', path: '/v2/' }))).code).toBe('registry-unreachable');
    expect(upstream.requests).toEqual([]);
  });

  it('passes on why there is no connection', async () => {
    const refusal = new McprtError('cluster-port-forward', { what: 'no pod', why: 'gone', next: '' });
    const way = kept(forwardedRoute(() => Promise.reject(refusal), undefined));
    await expect(way.request({ method: 'GET', path: '/v2/' })).rejects.toBe(refusal);
  });
});
