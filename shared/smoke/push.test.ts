import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import type { ImageArchive } from '../images/archive.js';
import type { ApiCaller, CallOptions } from '../platform/api.js';
import { multipart, pushImageArchive } from './push.js';

const target = 'registry.example.com/mcprt-smoke/demo:1';
let folder: string;
let archive: ImageArchive;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-push-'));
  archive = { file: join(folder, 'image.tar'), size: 5, platform: 'linux/amd64' };
  await writeFile(archive.file, 'image');
});

afterEach(() => rm(folder, { recursive: true }));

/** A caller that reads what is sent, and gives an answer or throws. */
function callerOf(answer: number | Error) {
  const calls: { path: string; options: CallOptions | undefined; sent: string }[] = [];
  const caller: ApiCaller = {
    async call(method, path, options) {
      const body = options?.stream?.body;
      const sent = body instanceof Readable ? String(await buffer(body)) : '';
      calls.push({ path: `${method} ${path}`, options, sent });
      if (typeof answer !== 'number') throw answer;
      return { status: answer, body: {}, told: `POST → ${answer} words` };
    },
    person: () => Promise.reject(new Error('nobody')),
    forget: () => undefined,
  };
  return { caller, calls };
}

const push = (answer: number | Error, limit = 30_000, more: Partial<ImageArchive> = {}) =>
  pushImageArchive(callerOf(answer).caller, { archive: { ...archive, ...more }, target, limit });

describe('the form of a push', () => {
  it('has target and scope before the image, as it is, and ends', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 45, 45, 128]);
    const { body, headers } = multipart({ target, scope: 'tenant' }, () => Readable.from([bytes]));
    const form = await new Response(await buffer(body), { headers }).formData();
    expect([...form.keys()]).toEqual(['target', 'scope', 'image_tar']);
    expect([form.get('target'), form.get('scope')]).toEqual([target, 'tenant']);
    const image = form.get('image_tar');
    if (image === null || typeof image === 'string') throw new Error('the image is no file');
    expect(image.name).toBe('image.tar');
    expect(Buffer.from(await image.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('has another boundary each time', () => {
    const types = [1, 2].map(() => multipart({}, () => Readable.from([])).headers['content-type']);
    expect(types[0]).not.toBe(types[1]);
  });

  it('fails with the file that it is made of', async () => {
    async function* broken(): AsyncGenerator<string> {
      yield 'half';
      throw new Error('the disk is gone');
    }
    await expect(buffer(multipart({}, () => Readable.from(broken())).body)).rejects.toThrow('the disk is gone');
  });
});

describe('a push', () => {
  it('sends the file once, and may take four times its limit', async () => {
    const { caller, calls } = callerOf(200);
    expect(await pushImageArchive(caller, { archive, target, limit: 30_000 })).toBeGreaterThanOrEqual(0);
    expect(calls).toMatchObject([{ path: 'POST /runtime/registry/push', options: { deadline: 120_000 } }]);
    expect(calls[0]?.sent).toContain('\r\n\r\nimage\r\n--');
    expect(calls[0]?.sent).toContain(`name="target"\r\n\r\n${target}\r\n`);
    expect(calls[0]?.sent).toContain('name="scope"\r\n\r\ntenant\r\n');
  });

  it('is not begun with an image that the platform does not take', async () => {
    const { caller, calls } = callerOf(200);
    const size = 512 * 1024 * 1024;
    const large = { archive: { ...archive, size: size + 1 }, target, limit: 30_000 };
    await expect(pushImageArchive(caller, large)).rejects.toMatchObject({ code: 'smoke-push' });
    expect(calls).toEqual([]);
    await expect(push(200, 30_000, { size })).resolves.toBeGreaterThanOrEqual(0);
  });

  it.each([
    [403, 'smoke-push-denied'],
    [400, 'smoke-push'],
    [500, 'smoke-push'],
  ])('that is answered with %d is a %s', async (status, code) => {
    await expect(push(status)).rejects.toMatchObject({ code, why: `POST → ${status} words` });
  });

  it('that takes longer than it may has failed, though it came through', async () => {
    await expect(push(200, 0)).rejects.toMatchObject({ code: 'smoke-push-slow' });
  });

  it('that is not answered at all was too slow; any other failure is what it is', async () => {
    const error = (code: `smoke-${string}`) => new McprtError(code, { what: 'w', why: 'y', next: 'n' });
    await expect(push(error('smoke-timeout'))).rejects.toMatchObject({
      code: 'smoke-push-slow',
      message: 'the push took more than 120.0 s, and may take 30 s',
    });
    const unauthorized = error('smoke-unauthorized');
    await expect(push(unauthorized)).rejects.toBe(unauthorized);
  });
});
