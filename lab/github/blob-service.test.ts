import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answerBlobCall } from './blob-service.js';
import { type Blob, Blobs, type Operation } from './blobs.js';
import { Faults } from './faults.js';
import { type Server, serve } from './http.js';

describe('the blob service', () => {
  let time: number;
  let blobs: Blobs;
  let server: Server;
  let blob: Blob;

  beforeEach(async () => {
    time = Date.UTC(2026, 10, 24);
    blobs = new Blobs(() => new Date(time));
    blob = blobs.create('cache');
    const faults = new Faults();
    server = await serve((call) => answerBlobCall(call, blobs, faults));
  });

  afterEach(() => server.close());

  const url = (operation: Operation) => blobs.sign(blob, operation, server.origin);
  const errorOf = async (response: Promise<Response>) => (await response).headers.get('x-ms-error-code');
  const put = (query: string, body: string, headers: Record<string, string> = {}) =>
    fetch(url('write') + query, { method: 'PUT', body, headers });
  const putBlob = (body: string) => put('', body, { 'x-ms-blob-type': 'BlockBlob' });
  const putBlock = (id: string, body: string) => put(`&comp=block&blockid=${encodeURIComponent(btoa(id))}`, body);
  const putList = (...ids: string[]) => {
    const items = ids.map((id) => `<Latest>${btoa(id)}</Latest>`).join('');
    return put('&comp=blocklist', `<?xml version="1.0"?><BlockList>${items}</BlockList>`);
  };
  const get = (headers: Record<string, string> = {}) => fetch(url('read'), { headers });

  it('takes a blob in one piece', async () => {
    const response = await putBlob('abc');
    expect([response.status, response.headers.get('etag')]).toEqual([201, expect.stringMatching(/^"0x/)]);
    expect(await (await get()).text()).toBe('abc');
  });

  it('puts blocks together in the order of the list, not of their arrival', async () => {
    await putBlock('id-2', 'C');
    await putBlock('id-0', 'A');
    await putBlock('id-1', 'B');
    expect((await putList('id-0', 'id-1', 'id-2')).status).toBe(201);
    expect(await (await get()).text()).toBe('ABC');
  });

  it('has nothing to read before the list is there', async () => {
    await putBlock('id-0', 'A');
    expect(await errorOf(get())).toBe('BlobNotFound');
  });

  it('refuses a list that names a missing block, and ids of different lengths', async () => {
    await putBlock('id-0', 'A');
    expect(await errorOf(putList('id-0', 'id-1'))).toBe('InvalidBlockList');
    expect(await errorOf(putBlock('id-1000', 'B'))).toBe('InvalidBlobOrBlock');
  });

  it('wants the type of the blob to be said', async () => {
    expect(await errorOf(put('', 'abc'))).toBe('InvalidHeaderValue');
  });

  it.each([
    ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=8-99', 206, 'ij', 'bytes 8-9/10'],
  ])('gives the range %s', async (range, status, text, contentRange) => {
    await putBlob('abcdefghij');
    for (const header of ['range', 'x-ms-range']) {
      const response = await get({ [header]: range });
      expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual([
        status,
        text,
        contentRange,
      ]);
    }
  });

  it('refuses a range behind the end', async () => {
    await putBlob('abc');
    expect((await get({ range: 'bytes=3-5' })).status).toBe(416);
  });

  it('tells the size without the bytes', async () => {
    await putBlob('abc');
    const response = await fetch(url('read'), { method: 'HEAD' });
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['3', '']);
  });

  it('opens to the signature of this operation only, and only for a while', async () => {
    await putBlob('abc');
    expect(await errorOf(fetch(url('write')))).toBe('AuthenticationFailed');
    expect(await errorOf(fetch(url('read'), { method: 'PUT', body: 'x' }))).toBe('AuthenticationFailed');
    expect(await errorOf(fetch(`${url('read')}x`))).toBe('AuthenticationFailed');
    expect(await errorOf(fetch(url('read').replace('&se=2026', '&se=2027')))).toBe('AuthenticationFailed');
    const early = url('read');
    time += 11 * 60_000;
    expect(await errorOf(fetch(early))).toBe('AuthenticationFailed');
  });

  it('lets nothing be written once its owner is finalized', async () => {
    await putBlob('abc');
    blob.isSealed = true;
    expect(await errorOf(putBlob('xyz'))).toBe('BlobImmutableDueToPolicy');
    expect(await (await get()).text()).toBe('abc');
  });
});
