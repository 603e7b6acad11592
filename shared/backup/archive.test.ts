import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { packArchive, unpackArchive } from './archive.js';

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

  it('is refused when a byte is changed that no checksum covers', async () => {
    const bytes = await packArchive(archive);
    bytes.writeUInt8(1, 512 + archive.statement.length + 3);
    await expect(unpackArchive(bytes)).rejects.toMatchObject({ code: 'backup-malformed' });
  });
});
