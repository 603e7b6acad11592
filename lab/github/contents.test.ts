import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { zipSync } from 'fflate';
import { withContents } from './contents.js';

const CANARY = 'canary '.repeat(20);

describe('withContents', () => {
  it.each([
    ['plain bytes', Buffer.from(CANARY)],
    ['gzip', gzipSync(CANARY)],
    ['zstd', zstdCompressSync(CANARY)],
    ['zip', Buffer.from(zipSync({ 'a.txt': Buffer.from(CANARY) }))],
    ['gzip in zip', Buffer.from(zipSync({ 'a.gz': gzipSync(CANARY) }))],
  ])('shows what is in %s', (_, bytes) => {
    expect(withContents(bytes).map(String)).toContain(CANARY);
  });

  it('gives what was cut as it is', () => {
    const cut = gzipSync(CANARY).subarray(0, 12);
    expect(withContents(cut)).toEqual([cut]);
  });
});
