import { describe, expect, it } from '@jest/globals';
import { zipSync } from 'fflate';
import { memberOfZip } from './zip.js';

const MiB = 1024 * 1024;
const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const zipOf = (files: Record<string, Uint8Array>, level: 0 | 6 = 6): Buffer => Buffer.from(zipSync(files, { level }));

/** A zip file that says other sizes of its file than it has. */
function lying(zip: Buffer, size: number): Buffer {
  const lie = Buffer.from(zip);
  lie.writeUInt32LE(size, lie.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24);
  lie.writeUInt32LE(size, 22);
  return lie;
}

describe('the file of an artifact', () => {
  it.each([0, 6] as const)('is given as it was packed, at level %d', async (level) => {
    const content = Buffer.alloc(3 * MiB, 'backup');
    const zip = zipOf({ 'other.txt': text('x'), 'backup.tar': content }, level);
    expect((await memberOfZip(zip, 'backup.tar', 4 * MiB)).equals(content)).toBe(true);
    // No comment is longer than what two bytes can say.
    for (const length of [4, 0xffff]) {
      const commented = Buffer.concat([zip, Buffer.alloc(length, 'more')]);
      commented.writeUInt16LE(length, zip.length - 2);
      expect((await memberOfZip(commented, 'backup.tar', 4 * MiB)).equals(content)).toBe(true);
    }
  });

  it('is not unpacked further than it may be, whatever it says of its size', async () => {
    const zip = zipOf({ 'backup.tar': new Uint8Array(64 * MiB) });
    for (const said of [1, 64 * MiB, 0xfffffffe]) {
      const before = process.memoryUsage().arrayBuffers;
      await expect(memberOfZip(lying(zip, said), 'backup.tar', MiB)).rejects.toMatchObject({
        code: 'backup-malformed',
      });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MiB);
    }
  });

  it('is refused where its size or place stands elsewhere, as in files above 4 GiB', async () => {
    for (const field of [20, 42]) {
      const zip = zipOf({ 'backup.tar': text('x') });
      zip.writeUInt32LE(0xffffffff, zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + field);
      await expect(memberOfZip(zip, 'backup.tar', MiB)).rejects.toMatchObject({
        why: expect.stringContaining('the artifact is larger than any backup'),
      });
    }
  });

  it('lets other work go on while it is unpacked', async () => {
    const zip = zipOf({ 'backup.tar': new Uint8Array(64 * MiB) });
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 0);
    await memberOfZip(zip, 'backup.tar', 65 * MiB);
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(3);
  });

  it('is refused with a code where the zip file is damaged in any way', async () => {
    const zip = zipOf({ 'backup.tar': text('a backup that is long enough to be packed, packed, packed') });
    for (let at = 0; at < zip.length; at += 1) {
      for (const value of [0, 0xff]) {
        const broken = Buffer.from(zip);
        broken[at] = value;
        const found = await memberOfZip(broken, 'backup.tar', MiB).catch((error: unknown) => error);
        if (!Buffer.isBuffer(found)) expect(found).toMatchObject({ code: 'backup-malformed' });
        const cut = await memberOfZip(zip.subarray(0, at), 'backup.tar', MiB).catch((error: unknown) => error);
        expect(cut).toMatchObject({ code: 'backup-malformed' });
      }
    }
    await expect(memberOfZip(zip, 'another.tar', MiB)).rejects.toMatchObject({ code: 'backup-malformed' });
  });
});
