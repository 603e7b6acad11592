import { describe, expect, test } from '@jest/globals';
import { makeImageArchive, readImageArchive } from './image-archive.js';
import { partsOf } from './multipart.js';
import { mayPush, readForm } from './push-routes.js';

const boundary = 'xyz';

/** A form in pieces that cut through its boundaries. */
async function* form(...fields: [string, string][]): AsyncGenerator<Buffer> {
  const text = fields.map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${name === 'image_tar' ? '; filename="x"' : ''}\r\n\r\n${value}\r\n`,
  );
  const whole = Buffer.from(`${text.join('')}--${boundary}--\r\n`);
  for (let at = 0; at < whole.length; at += 7) yield whole.subarray(at, at + 7);
}

const read = (...fields: [string, string][]) =>
  readForm(partsOf(form(...fields), boundary), (one) =>
    mayPush(
      {
        role: 'user',
        subject: 'u',
        by: 'token',
        teams: [{ id: '1', slug: 'acme', name: 'Acme', namespace: 'mcp-team-acme', role: 'member' }],
      },
      one,
    ),
  );

describe('a push', () => {
  test('gives target and archive', async () => {
    const { target, archive } = await read(
      ['target', 'r.test/acme/wa:v1'],
      ['scope', 'tenant'],
      ['image_tar', 'bytes\r\n--xy'],
    );
    expect(target).toMatchObject({ host: 'r.test', path: 'acme/wa', tag: 'v1' });
    expect(archive.toString()).toBe('bytes\r\n--xy');
  });

  test.each<[[string, string][], number, string]>([
    [
      [
        ['image_tar', 'x'],
        ['target', 'r.test/acme/wa:v1'],
      ],
      400,
      'target must be provided before image_tar',
    ],
    [
      [
        ['target', 'r.test/acme/wa:v1'],
        ['image_tar', 'x'],
        ['scope', 'tenant'],
      ],
      400,
      'target and scope must be provided before image_tar',
    ],
    [[['target', 'r.test/acme/wa:v1']], 400, 'image_tar is required'],
    [
      [
        ['target', 'r.test/acme/wa:v1'],
        ['scope', 'weird'],
        ['image_tar', 'x'],
      ],
      400,
      'scope "weird" is invalid (use tenant, org, or public)',
    ],
    [
      [
        ['target', 'r.test/globex/x:1'],
        ['image_tar', 'x'],
      ],
      403,
      'repository must be scoped to one of your teams ("acme" or "mcp-team-acme")',
    ],
    [
      [
        ['target', 'r.test/mcp-team-acme/x'],
        ['image_tar', 'x'],
      ],
      403,
      'image repository must be scoped to "acme"',
    ],
    [
      [
        ['target', 'r.test/x:tag'],
        ['image_tar', 'x'],
      ],
      403,
      'tenant registry pushes require a team-scoped repository path',
    ],
    [
      [
        ['target', 'acme/x'],
        ['image_tar', 'x'],
      ],
      403,
      'target must include a registry host',
    ],
    [
      [
        ['target', 'x:tag'],
        ['image_tar', 'x'],
      ],
      403,
      'target must include a registry/repository path',
    ],
    [
      [
        ['target', 'r.test/acme/x'],
        ['scope', 'public'],
        ['image_tar', 'x'],
      ],
      403,
      'public catalog writes are restricted to admins',
    ],
  ])('refuses %j', async (fields, status, message) => {
    await expect(read(...fields)).rejects.toMatchObject({ answer: { status, body: { message } } });
  });

  test('reads the archive that it makes, and no garbage', async () => {
    const archive = await makeImageArchive({ tag: 'r.test/acme/wa:v1', labels: { a: 'b' }, architecture: 'arm64' });
    const { config, layers, tags } = await readImageArchive(archive);
    expect(JSON.parse(config.toString())).toMatchObject({ architecture: 'arm64', config: { Labels: { a: 'b' } } });
    expect([layers.length, tags]).toEqual([1, ['r.test/acme/wa:v1']]);
    await expect(readImageArchive(Buffer.from('garbage'.repeat(500)))).rejects.toThrow();
  });
});
