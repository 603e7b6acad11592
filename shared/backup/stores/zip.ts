import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { readAtMost } from '../../bounded.js';
import { McprtError } from '../../errors.js';
import { malformed } from '../statement.js';

/** Parts of a zip file (PKWARE's APPNOTE 6.3): how each begins, and how long it is without what varies. */
const end = { signature: 0x06054b50, size: 22 } as const;
const entry = { signature: 0x02014b50, size: 46 } as const;
const local = { signature: 0x04034b50, size: 30 } as const;
/** A comment at the end of the file has no more bytes than its length can say. */
const longestComment = 0xffff;
/** An artifact of ours has one file. */
const mostEntries = 64;
const methods = { stored: 0, deflated: 8 } as const;
/** In place of a size or an offset: it is told elsewhere, as no artifact that we read is that large. */
const elsewhere = 0xffffffff;

/**
 * The one file of that name in a zip file. What the file says of its sizes is not believed: unpacking ends at the limit, and
 * holds nobody up meanwhile.
 *
 * @param limit of the unpacked file, in bytes
 * @throws McprtError `backup-malformed`
 */
export async function memberOfZip(zip: Buffer, name: string, limit: number): Promise<Buffer> {
  try {
    const packed = packedMember(zip, name);
    if (packed.method === methods.stored) {
      if (packed.bytes.length > limit) throw tooLarge(limit);
      return packed.bytes;
    }
    const inflated = Readable.from(chunksOf(packed.bytes)).pipe(createInflateRaw());
    return await readAtMost(inflated, limit, () => tooLarge(limit));
  } catch (error) {
    throw error instanceof McprtError ? error : malformed('the artifact is not a zip file, or is damaged');
  }
}

interface Packed {
  method: number;
  bytes: Buffer;
}

/** @throws RangeError for what points out of the file, as buffers do */
function packedMember(zip: Buffer, name: string): Packed {
  const directory = endOf(zip);
  const count = Math.min(zip.readUInt16LE(directory + 10), mostEntries);
  let at = zip.readUInt32LE(directory + 16);
  for (let index = 0; index < count; index += 1) {
    if (zip.readUInt32LE(at) !== entry.signature) throw malformed('the list of the artifact’s files is damaged');
    const [method, size, offset] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)];
    const nameLength = zip.readUInt16LE(at + 28);
    const found = zip.toString('utf8', at + entry.size, at + entry.size + nameLength);
    if (found === name) return packedAt(zip, { method, size, offset });
    at += entry.size + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw malformed('the artifact holds no backup');
}

function packedAt(zip: Buffer, { method, size, offset }: { method: number; size: number; offset: number }): Packed {
  if (size === elsewhere || offset === elsewhere) throw malformed('the artifact is larger than any backup');
  if (method !== methods.stored && method !== methods.deflated)
    throw malformed('the artifact is packed in another way');
  if (zip.readUInt32LE(offset) !== local.signature) throw malformed('the list of the artifact’s files is damaged');
  const begin = offset + local.size + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
  const bytes = zip.subarray(begin, begin + size);
  if (bytes.length < size) throw malformed('the artifact is cut off');
  return { method, bytes };
}

/** Where the end of the directory is, which a comment may follow. */
function endOf(zip: Buffer): number {
  const first = Math.max(0, zip.length - end.size - longestComment);
  for (let at = zip.length - end.size; at >= first; at -= 1) {
    if (zip.readUInt32LE(at) === end.signature) return at;
  }
  throw malformed('the artifact is not a zip file');
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  const length = 64 * 1024;
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

function tooLarge(limit: number): McprtError {
  return malformed(`unpacked it has more than ${limit} bytes, more than any backup`);
}
