import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { pack } from 'tar-stream';
import { packArchive, unpackArchive } from './archive.js';
import { limits } from './limits.js';

const archive = { statement: Buffer.from('{"statement":1}'), payload: Buffer.alloc(1000, 7) };

describe('the archive of a backup', () => {
  it('is packed in one form for ever: a reader takes no other, so that another one would hide every older backup', async () => {
    const digest = createHash('sha256')
      .update(await packArchive(archive))
      .digest('hex');
    expect(digest).toBe('8a92ede9885e6d75c6161a35137aa8afbf8704f91af65aa461c928b4ae398082');
  });

  it('gives back what was packed', async () => {
    expect(await unpackArchive(await packArchive(archive))).toEqual(archive);
  });

  it.each<[string, [name: string, type?: 'symlink' | 'directory'][], RegExp]>([
    ['a member that no backup has', [['statement.dsse.json'], ['payload.age'], ['other']], /file "other"/],
    ['one member twice', [['statement.dsse.json'], ['statement.dsse.json']], /file "statement.dsse.json"/],
    ['a link by the name of a member', [['statement.dsse.json', 'symlink']], /symlink "statement.dsse.json"/],
    ['no statement', [['payload.age']], /statement.dsse.json is missing/],
    ['no payload', [['statement.dsse.json']], /payload.age is missing/],
    ['a name without end', [['x'.repeat(90)]], /file "x{80}"/],
  ])('is refused with %s', async (_, entries, why) => {
    const tar = pack();
    for (const [name, type = 'file'] of entries) {
      if (type === 'file') tar.entry({ name }, 'x');
      else tar.entry({ name, type, linkname: '/etc/passwd' });
    }
    tar.finalize();
    await expect(unpackArchive(await buffer(tar))).rejects.toMatchObject({
      code: 'backup-malformed',
      why: expect.stringMatching(why),
    });
  });

  it('is refused when it is more than any backup, without a look at it', async () => {
    const zeros = Buffer.alloc(limits.archiveBytes + 1);
    await expect(unpackArchive(zeros)).rejects.toMatchObject({ why: expect.stringContaining('more than any backup') });
  });

  it('is refused when it is cut off', async () => {
    const bytes = await packArchive(archive);
    for (const length of [100, 700, bytes.length - 512]) {
      await expect(unpackArchive(bytes.subarray(0, length))).rejects.toMatchObject({ code: 'backup-malformed' });
    }
  });

  it('is refused when a byte is changed that no checksum covers', async () => {
    const bytes = await packArchive(archive);
    bytes.writeUInt8(1, 512 + archive.statement.length + 3);
    await expect(unpackArchive(bytes)).rejects.toMatchObject({ code: 'backup-malformed' });
  });
});
