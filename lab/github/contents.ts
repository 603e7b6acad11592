import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { unzipSync } from 'fflate';

/** Archives in archives in archives: deeper than that nobody packs. */
const DEEPEST = 3;

/**
 * The bytes, and what is packed in them (zip, gzip, zstd), so that a search sees what compression would hide from it.
 * What cannot be unpacked, because it was cut or changed, is given as it is.
 */
export function withContents(bytes: Buffer, depth = 0): Buffer[] {
  const inner = depth < DEEPEST ? unpack(bytes) : [];
  return [bytes, ...inner.flatMap((each) => withContents(each, depth + 1))];
}

function unpack(bytes: Buffer): Buffer[] {
  const magic = bytes.subarray(0, 4).toString('hex');
  try {
    if (magic === '504b0304') return Object.values(unzipSync(bytes)).map((each) => Buffer.from(each));
    if (magic.startsWith('1f8b')) return [gunzipSync(bytes)];
    if (magic === '28b52ffd') return [zstdDecompressSync(bytes)];
  } catch {
    return [];
  }
  return [];
}
