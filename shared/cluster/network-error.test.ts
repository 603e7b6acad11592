import 'reflect-metadata';
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509';
import {
  type KeyPair,
  makeCertificateAuthority,
  makeServerCertificate,
} from '../../lab/platform/certificate-authority.js';
import { McprtError } from '../errors.js';
import { startSecureServer } from '../platform/testing/secure-server.js';
import type { Credentials } from './credentials.js';
import { networkError } from './network-error.js';
import { openTransport } from './transport.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const token = 'token-that-nobody-may-see-0123456789';
const name = 'api.example.com';
const hour = 3_600_000;

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

const serving = ({ certificate: cert, key }: KeyPair): Promise<number> =>
  listening(createSecure({ cert, key }, (_, response) => response.end('{}')));

/** What a call ends with that goes to a port of this machine. */
async function failureOf(port: number, tls: Credentials['tls'], more: Partial<Credentials> = {}, deadline = 20_000) {
  const credentials = {
    server: `https://127.0.0.1:${port}`,
    context: '',
    headers: { authorization: `Bearer ${token}` },
    tls,
    secrets: [],
    ...more,
  };
  const transport = openTransport(credentials, { userAgent: 'test', deadline });
  open.push(transport);
  const error: unknown = await transport.call({ method: 'GET', path: '/version' }).catch((thrown: unknown) => thrown);
  if (!(error instanceof McprtError)) throw new Error(`no refusal: ${JSON.stringify(error)}`);
  const { code, message, why, next } = error;
  expect([message, why, next].join('\n')).not.toContain(token);
  expect(message).toContain('GET /version');
  return { code, why, next, calls: transport.calls };
}

/** A CA whose time is over, and a certificate of it whose time is not. */
async function oldAuthority(): Promise<KeyPair> {
  const ca = await makeCertificateAuthority();
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const der = Buffer.from(ca.key.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const privateKey = await crypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
  const { d: _, ...jwk } = await crypto.subtle.exportKey('jwk', privateKey);
  const publicKey = await crypto.subtle.importKey('jwk', { ...jwk, key_ops: ['verify'] }, algorithm, true, ['verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=old CA',
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 2 * hour),
    notAfter: new Date(Date.now() - hour),
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return { certificate: certificate.toString('pem'), key: ca.key };
}

describe('a server’s certificate that is refused', () => {
  it('says for which names it is, and how to add the wanted one', async () => {
    const ca = await makeCertificateAuthority();
    const port = await serving(await makeServerCertificate([name, 'kubernetes'], ca));
    expect(await failureOf(port, { ca: ca.certificate })).toMatchObject({
      code: 'cluster-certificate-name',
      why: expect.stringMatching(/api\.example\.com.*kubernetes/),
      next: expect.stringMatching(/--tls-san 127\.0\.0\.1.*tls-server-name/s),
      calls: 1,
    });
    expect(await failureOf(port, { ca: ca.certificate, servername: 'other.example' })).toMatchObject({
      code: 'cluster-certificate-name',
      next: expect.stringContaining('--tls-san other.example'),
    });
  });

  it('says when it has ended, and when its CA has', async () => {
    const ca = await makeCertificateAuthority();
    const end = new Date(Math.floor(Date.now() / 1000) * 1000 - 2 * hour);
    const port = await serving(await makeServerCertificate([name], ca, end));
    expect(await failureOf(port, { ca: ca.certificate, servername: name })).toMatchObject({
      code: 'cluster-certificate-expired',
      why: expect.stringContaining(`ended at ${end.toISOString()}`),
      next: expect.stringContaining('restart k3s'),
      calls: 1,
    });
    const old = await oldAuthority();
    const other = await serving(await makeServerCertificate([name], old));
    expect(await failureOf(other, { ca: old.certificate, servername: name })).toMatchObject({
      code: 'cluster-certificate-expired',
      why: expect.stringContaining('CN=old CA ended at'),
      next: expect.stringContaining('rotate-ca'),
    });
  });

  it('says when it begins', async () => {
    const ca = await makeCertificateAuthority();
    const begin = new Date(Math.floor(Date.now() / 1000) * 1000 + 2 * hour);
    const port = await serving(await makeServerCertificate([name], ca, new Date(begin.getTime() + hour), begin));
    expect(await failureOf(port, { ca: ca.certificate, servername: name })).toMatchObject({
      code: 'cluster-certificate-early',
      why: expect.stringContaining(`begins at ${begin.toISOString()}`),
      next: expect.stringContaining('clock'),
    });
  });

  it('says which CA was given and who issued it', async () => {
    const [ca, given] = await Promise.all([makeCertificateAuthority(), makeServerCertificate(['another-ca'])]);
    const port = await serving(await makeServerCertificate([name], ca));
    expect(await failureOf(port, { ca: given.certificate, servername: name })).toMatchObject({
      code: 'cluster-untrusted',
      why: expect.stringMatching(/given is CN=another-ca, .*issued by CN=mcp-runtime registry internal CA/),
      next: expect.stringContaining('server-ca.crt'),
      calls: 1,
    });
    expect((await failureOf(port, { servername: name })).why).toContain('no CA was given');
  });
});

describe('no connection', () => {
  it('to this machine itself is told as a k3s.yaml that was copied as it is', async () => {
    const server = createTcp();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    for (const host of ['127.0.0.1', 'localhost']) {
      expect(await failureOf(port, {}, { server: `https://${host}:${port}` })).toMatchObject({
        code: 'cluster-loopback',
        why: expect.stringContaining(host),
        next: expect.stringContaining('set-cluster'),
      });
    }
  });

  it('to a name that there is not is told as DNS', async () => {
    expect(await failureOf(0, {}, { server: 'https://api.mcprt.invalid:6443' })).toMatchObject({
      code: 'cluster-dns',
      why: expect.stringContaining('api.mcprt.invalid'),
    });
  });

  it('to somebody who says nothing is told with the deadline', async () => {
    const port = await listening(createTcp());
    expect(await failureOf(port, {}, {}, 300)).toMatchObject({
      code: 'cluster-unreachable',
      why: expect.stringContaining('dropped'),
    });
  });

  // No machine of a test can be without a route, or have a neighbour that refuses.
  it.each([
    ['ECONNREFUSED', 'cluster-connection-refused', 'k3s runs'],
    ['EHOSTUNREACH', 'cluster-unreachable', 'VPN'],
    ['UND_ERR_CONNECT_TIMEOUT', 'cluster-unreachable', 'firewall'],
  ])('by %s is %s', async (code, expected, next) => {
    const way = { where: 'GET /x', server: 'https://192.0.2.1:6443', tls: {}, proxy: undefined, tries: 5 };
    expect(await networkError(Object.assign(new Error('m'), { code }), way)).toMatchObject({
      code: expected,
      why: expect.stringContaining(code),
      next: expect.stringContaining(next),
    });
  });
});

describe('something that is no API server', () => {
  it('is told where it speaks no TLS', async () => {
    const port = await listening(createPlain((_, response) => response.end('hello')));
    expect(await failureOf(port, {})).toMatchObject({
      code: 'cluster-not-api',
      why: expect.stringContaining('no'),
      next: expect.stringContaining('6443'),
      calls: 1,
    });
  });

  it.each([200, 302, 403, 404])('is told by the page that it answers with %i', async (status) => {
    const server = await startSecureServer();
    open.push(server);
    server.answer = () => ({ status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<html>Sign in' });
    const tls = { ca: server.reach.caBundle, servername: server.host };
    expect(await failureOf(server.port, tls)).toMatchObject({ code: 'cluster-not-api', calls: 1 });
    const transport = openTransport(
      { server: `https://127.0.0.1:${server.port}`, context: '', headers: {}, tls, secrets: [] },
      { userAgent: 'test', deadline: 5_000 },
    );
    open.push(transport);
    if (status < 300) return;
    await expect(transport.lines({ method: 'GET', path: '/x' }).next()).rejects.toMatchObject({
      code: 'cluster-not-api',
    });
  });
});

describe('a refusal of the API server', () => {
  const status = (message: string): object => ({ kind: 'Status', reason: 'Forbidden', message });
  const webhook = 'admission webhook "policy.example.com" denied the request: no label';
  const away =
    'Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: Post "https://x": EOF';
  const quota =
    'secrets "a" is forbidden: exceeded quota: small, requested: secrets=1, used: secrets=5, limited: secrets=5';

  it.each([
    [403, quota, 'cluster-quota', 'ResourceQuota small '],
    [403, 'pods "a" is forbidden: failed quota: cpu: must specify limits.cpu', 'cluster-quota', 'ResourceQuota cpu '],
    [403, webhook, 'cluster-webhook-refused', 'policy.example.com'],
    [400, webhook, 'cluster-webhook-refused', 'policy.example.com'],
    [500, away, 'cluster-webhook-away', 'webhook.cert-manager.io'],
    [403, 'secrets is forbidden: User "system:anonymous" cannot list', 'cluster-anonymous', '--raw'],
    [403, 'secrets is forbidden: User "ci" cannot list', 'cluster-forbidden', 'grant the verb'],
    [401, 'Unauthorized', 'cluster-unauthorized', 'renew'],
  ])('of %i, %s, is %s', async (code, message, expected, next) => {
    const server = await startSecureServer();
    open.push(server);
    server.answer = () => ({ status: code, body: status(message) });
    const tls = { ca: server.reach.caBundle, servername: server.host };
    expect(await failureOf(server.port, tls)).toMatchObject({
      code: expected,
      why: message,
      next: expect.stringContaining(next),
    });
  });

  it('of nobody is told as that where nothing was sent that says who asks', async () => {
    const server = await startSecureServer();
    open.push(server);
    server.answer = () => ({ status: 401, body: status('Unauthorized') });
    const tls = { ca: server.reach.caBundle, servername: server.host };
    expect(await failureOf(server.port, tls, { headers: {} })).toMatchObject({ code: 'cluster-anonymous' });
  });
});
