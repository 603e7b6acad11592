import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { direct } from '../../../proxy.js';
import { type S3Server, type S3ServerOptions, startS3Server } from '../../testing/s3-server.js';
import { archiveOf } from '../../testing/store-contract.js';
import type { Store } from '../store.js';
import { parseS3Address, urlOf } from './s3-address.js';
import { type S3Credentials, s3Calls } from './s3-call.js';
import { s3Failure } from './s3-failure.js';
import { s3Store } from './s3-store.js';
import { pageOf } from './s3-xml.js';

const name = 'mcprt-backup-example.com-g00000001-r7.1';

describe('the address of a bucket', () => {
  it.each<[string, string, string, string, string]>([
    ['backups', '', 'eu-west-1', 'k', 'https://backups.s3.eu-west-1.amazonaws.com/k'],
    ['backups', '', 'cn-north-1', 'k', 'https://backups.s3.cn-north-1.amazonaws.com.cn/k'],
    ['my.backups', '', 'eu-west-1', 'k', 'https://s3.eu-west-1.amazonaws.com/my.backups/k'],
    ['s3://backups/a/', 'https://minio.corp:9000/', 'x', 'a/k', 'https://minio.corp:9000/backups/a/k'],
    ['backups', 'https://{bucket}.s3.corp', 'x', 'a b+ü(1)', 'https://backups.s3.corp/a%20b%2B%C3%BC%281%29'],
  ])('%s at "%s"', (text, endpoint, region, key, url) => {
    const address = parseS3Address(text, endpoint);
    expect(address && urlOf(address, region, key)).toBe(url);
  });

  it.each([
    ['', ''],
    ['a', ''],
    ['bad bucket', ''],
    ['backups/../other', ''],
    [`backups/${'x'.repeat(600)}`, ''],
    ['backups', 'minio.corp'],
    ['backups', 'ftp://minio.corp'],
    ['backups', 'https://user:word@minio.corp'],
    ['backups', 'https://minio.corp/?x=1'],
  ])('%s at "%s" is none', (text, endpoint) => {
    expect(parseS3Address(text, endpoint)).toBeUndefined();
  });
});

describe('a refusal', () => {
  const address = parseS3Address('backups', 'https://{bucket}.corp');
  it.each<[string, number, string, Parameters<typeof s3Failure>[1], RegExp]>([
    ['NoSuchBucket', 404, 'store-address', 'write', /leave `\{bucket\}.` out/],
    ['InvalidAccessKeyId', 403, 'store-credentials', 'read', /s3-credentials/],
    ['SignatureDoesNotMatch', 403, 'store-credentials', 'read', /s3-credentials/],
    ['ExpiredToken', 400, 'store-credentials', 'read', /configure-aws-credentials/],
    ['RequestTimeTooSkewed', 403, 'store-clock', 'read', /NTP/],
    ['PermanentRedirect', 301, 'store-region', 'read', /set AWS_REGION to eu-west-3/],
    ['AccessDenied', 403, 'store-permission', 'list', /s3:ListBucket/],
    ['AccessDenied', 403, 'store-permission', 'write', /s3:PutObject` and `s3:PutObjectRetention/],
    ['AccessDenied', 403, 'store-permission', 'delete', /s3:DeleteObjectVersion/],
    ['InvalidRequest', 400, 'store-lock', 'write', /s3-lock-days/],
    ['QuotaExceeded', 403, 'store-permission', 'write', /./],
    ['XMinioStorageFull', 507, 'store-full', 'write', /quota/],
    ['BadDigest', 400, 'store-digest', 'write', /stands between/],
    ['SlowDown', 503, 'store-unavailable', 'read', /some minutes/],
    ['MethodNotAllowed', 405, 'store-endpoint', 'read', /port of the API/],
    ['', 200, 'store-endpoint', 'list', /port of the API/],
    ['Whatever', 400, 'store-prune', 'delete', /log/],
  ])('%s (%d) is %s to who wants to %s', (code, status, expected, doing, next) => {
    if (address === undefined) throw new Error('no address');
    const region = status === 301 ? 'eu-west-3' : '';
    const refused = { status, code, message: '', region, date: 'Mon, 02 Mar 2026 00:00:00 GMT' };
    const found = s3Failure(refused, doing, { address, keysFrom: 'input', isLocking: true });
    expect(found).toMatchObject({ next: expect.stringMatching(next) });
    if (code !== 'QuotaExceeded') expect(found.code).toBe(expected);
  });

  it('says both clocks, and whose keys they are', () => {
    if (address === undefined) throw new Error('no address');
    const refused = { status: 403, code: 'RequestTimeTooSkewed', message: '', region: '', date: 'the server’s' };
    const asked = { address, keysFrom: 'environment' as const, isLocking: false };
    expect(s3Failure(refused, 'read', asked).why).toMatch(/the server’s, and here it is .*GMT/);
    expect(s3Failure({ ...refused, code: 'InvalidToken' }, 'read', asked).next).toContain('AWS_SECRET_ACCESS_KEY');
  });
});

describe('a page of a list', () => {
  const page = (inner: string): Buffer => Buffer.from(`<ListBucketResult>${inner}</ListBucketResult>`);
  it('is read whether keys are encoded or not', async () => {
    const encoded = page('<EncodingType>url</EncodingType><Contents><Key>a+b%2Bc%2F%C3%BC</Key></Contents>');
    const bare = page('<Contents><Key>a b+c/ü&amp;%2B</Key></Contents>');
    expect((await pageOf(encoded))?.keys).toEqual(['a b+c/ü']);
    expect((await pageOf(bare))?.keys).toEqual(['a b+c/ü&%2B']);
  });

  it.each([
    '',
    '<html>',
    '<Error><Code>x</Code></Error>',
    '<!DOCTYPE x [<!ENTITY a "b">]><ListBucketResult>&a;</ListBucketResult>',
  ])('%s is none', async (text) => {
    expect(await pageOf(Buffer.from(text))).toBeUndefined();
  });
});

describe('an S3 server', () => {
  const servers: S3Server[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  async function start(
    options: Partial<S3ServerOptions> = {},
    more: {
      lockDays?: number;
      region?: string;
      credentials?: Partial<S3Credentials>;
      signal?: AbortSignal;
      now?: Date;
      scheme?: string;
    } = {},
  ): Promise<{ store: Store; server: S3Server }> {
    const started = await startS3Server({ bucket: 'backups', ...options });
    servers.push(started);
    const host = `127.0.0.1:${started.port}`;
    const endpoint = options.isVirtualHost ? 'http://{bucket}.s3.corp' : `${more.scheme ?? 'http'}://${host}`;
    const address = parseS3Address('backups/p', endpoint);
    if (address === undefined) throw new Error('no address');
    const calls = s3Calls({
      address,
      credentials: { ...started.credentials, ...more.credentials },
      region: more.region ?? '',
      caBundle: '',
      proxies: options.isVirtualHost ? { ...direct, http: `http://${host}` } : direct,
      signal: more.signal ?? new AbortController().signal,
      firstPause: 1,
    });
    const now = (): Date => more.now ?? new Date();
    return {
      store: s3Store({ calls, address, keysFrom: 'input', lockDays: more.lockDays ?? 0, now }),
      server: started,
    };
  }

  it.each<[string, Partial<S3ServerOptions>, string]>([
    ['in another region, which it names', { region: 'garage' }, ''],
    ['in another region than is set', { region: 'eu-west-3' }, 'us-east-1'],
    ['in another region, whose refusal of a backup is lost', { region: 'garage', refusesUnread: true }, ''],
    ['that encodes no keys', { encodes: false }, ''],
    ['with pages of one', { pageSize: 1 }, ''],
    ['whose name has the bucket in it, behind a proxy', { isVirtualHost: true }, ''],
  ])('%s keeps a backup', async (_, options, region) => {
    const { store } = await start(options, { region });
    const bytes = await archiveOf();
    await store.save(name, bytes);
    await store.save(name.replace('g00000001', 'g00000002'), await archiveOf());
    const { entries } = await store.list({ prefix: 'mcprt-backup-example.com-' });
    expect(entries.map((one) => one.name)).toEqual([name, name.replace('g00000001', 'g00000002')]);
    expect((await entries[0]?.fetch())?.equals(bytes)).toBe(true);
  });

  it('in another region is followed there by several requests at once', async () => {
    const { store, server: s3 } = await start({ region: 'garage' });
    const bytes = await archiveOf();
    s3.objects.set(`p/${name}.mcprt`, { bytes, version: 'null', lockedUntil: undefined });
    const read = await Promise.all([store.read(name), store.read(name)]);
    expect(read.map((one) => one.equals(bytes))).toEqual([true, true]);
  });

  it('without conditional writes is asked before one, which is told', async () => {
    const { store } = await start({ isConditional: false });
    const { notes } = await store.save(name, await archiveOf());
    expect(notes).toContainEqual(expect.stringContaining('no conditional write'));
    await expect(store.save(name, await archiveOf())).rejects.toMatchObject({ code: 'store-duplicate' });
  });

  it('whose answer got lost has the backup once, and no duplicate', async () => {
    const { store, server: s3 } = await start();
    let lost = false;
    s3.instead = (request, response) => {
      if (request.method !== 'PUT' || lost) return false;
      lost = true;
      // It is stored, and then the connection breaks.
      s3.objects.set(`p/${name}.mcprt`, { bytes, version: 'null', lockedUntil: undefined });
      response.destroy();
      return true;
    };
    const bytes = await archiveOf();
    await store.save(name, bytes);
    expect((await store.read(name)).equals(bytes)).toBe(true);
  });

  it('that wants to be left alone is asked again', async () => {
    const { store, server: s3 } = await start();
    let left = 2;
    s3.instead = ({ method }, response) => {
      if (method !== 'PUT' || left === 0) return false;
      left -= 1;
      response.writeHead(503, { 'content-type': 'application/xml' }).end('<Error><Code>SlowDown</Code></Error>');
      return true;
    };
    await store.save(name, await archiveOf());
    expect(s3.requests.filter(({ method }) => method === 'PUT')).toHaveLength(3);
  });

  it('that packs what nobody wants packed is understood, and no further than a backup goes', async () => {
    const { store, server: s3 } = await start();
    const bytes = await archiveOf();
    await store.save(name, bytes);
    s3.instead = (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(bytes));
      return true;
    };
    expect((await store.read(name)).equals(bytes)).toBe(true);
  });

  it('that breaks off in the middle is told', async () => {
    const { store, server: s3 } = await start();
    s3.instead = (_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('x');
      setTimeout(() => response.destroy(), 5);
      return true;
    };
    await expect(store.read(name)).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('locks where that is asked for, and what is locked is not deleted', async () => {
    const { store, server: s3 } = await start({ hasLock: true }, { lockDays: 30 });
    const { until, notes } = await store.save(name, await archiveOf());
    expect((until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(29 * 24 * 3600_000);
    expect(notes).toContainEqual(expect.stringMatching(/^nobody can delete it before /));
    expect(await store.holds(name)).toMatchObject({ until, words: expect.stringContaining('Object Lock') });
    const [entry] = (await store.list({ name })).entries;
    await expect(entry?.remove()).rejects.toMatchObject({ code: 'store-locked' });
    const [object] = s3.objects.values();
    if (object !== undefined) object.lockedUntil = new Date(0);
    await entry?.remove();
    expect(s3.requests.at(-1)?.url).toMatch(/versionId=\d+$/);
    expect((await store.list({ name })).entries).toEqual([]);
  });

  it('doubts a lock that it is not told of', async () => {
    const asked = { hasLock: true, hidesLock: true };
    const { store } = await start(asked, { lockDays: 30 });
    expect((await store.save(name, await archiveOf())).doubt).toContain('GetObjectRetention');
    const told = await start({ hasLock: true }, { lockDays: 30 });
    expect((await told.store.save(name, await archiveOf())).doubt).toBeUndefined();
    const unasked = await start(asked);
    expect((await unasked.store.save(name, await archiveOf())).doubt).toBeUndefined();
  });

  it('that cannot lock does not get it unlocked', async () => {
    const { store, server: s3 } = await start({}, { lockDays: 30 });
    await expect(store.save(name, await archiveOf())).rejects.toMatchObject({ code: 'store-lock' });
    expect(s3.objects.size).toBe(0);
  });

  it.each<[string, Parameters<typeof start>[0], Parameters<typeof start>[1], string]>([
    ['does not know the keys', {}, { credentials: { accessKeyId: 'ANOTHER' } }, 'store-credentials'],
    ['knows another secret', {}, { credentials: { secretAccessKey: 'another' } }, 'store-credentials'],
    ['has no such bucket', { bucket: 'another' }, {}, 'store-address'],
  ])('that %s is told', async (_, options, more, code) => {
    const { store } = await start(options, more);
    await expect(store.list({ prefix: 'x' })).rejects.toMatchObject({ code });
    await expect(store.save(name, await archiveOf())).rejects.toMatchObject({ code });
  });

  it('that is none is told', async () => {
    const { store, server: s3 } = await start();
    s3.instead = (_, response) => {
      response.end('<html><body>Console</body></html>');
      return true;
    };
    await expect(store.list({ prefix: 'x' })).rejects.toMatchObject({ code: 'store-endpoint' });
  });

  it('that lists in circles, or does not say how it goes on, is cut', async () => {
    const { store, server: s3 } = await start();
    let next = '<NextContinuationToken>t</NextContinuationToken>';
    s3.instead = (_, response) => {
      response.end(`<ListBucketResult><IsTruncated>true</IsTruncated>${next}</ListBucketResult>`);
      return true;
    };
    expect((await store.list({ prefix: 'x' })).cut?.code).toBe('store-cut');
    expect(s3.requests).toHaveLength(2);
    next = '';
    expect((await store.list({ prefix: 'x' })).cut?.code).toBe('store-cut');
  });

  it('with objects of others gives only what a backup is called', async () => {
    const { store, server: s3 } = await start();
    const object = { bytes: Buffer.from('x'), version: 'null', lockedUntil: undefined };
    for (const key of ['p/mcprt-x.txt', 'p/mcprt-a/b.mcprt', 'q/mcprt-x.mcprt', 'p/mcprt-x.mcprt']) {
      s3.objects.set(key, object);
    }
    const { entries } = await store.list({ prefix: 'mcprt-' });
    expect(entries.map((one) => one.name)).toEqual(['mcprt-x']);
  });

  it('without TLS is told from one that is away', async () => {
    const { store } = await start({}, { scheme: 'https' });
    await expect(store.list({ name })).rejects.toMatchObject({
      code: 'store-unavailable',
      next: expect.stringContaining('speaks no TLS'),
    });
  });

  it('gets the session’s token, and hears a cancel', async () => {
    const cancel = new AbortController();
    const { store, server: s3 } = await start(
      {},
      { credentials: { sessionToken: 'a-session' }, signal: cancel.signal },
    );
    await store.save(name, await archiveOf());
    expect(s3.requests[0]?.headers['x-amz-security-token']).toBe('a-session');
    s3.instead = () => true;
    const reason = new Error('cancelled');
    const reading = store.read(name);
    cancel.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
});
