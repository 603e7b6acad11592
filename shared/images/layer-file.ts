import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Compression } from './archived-image.js';

/** A layer in a file, as it is sent. */
export interface LayerFile {
  path: string;
  digest: string;
  /** In bytes. */
  size: number;
  isZstd: boolean;
  /** Digest of what came, which is another one where it was compressed here. */
  contentDigest: string;
}

/** Half the size costs a third of the time of the usual level. The same layer is the same bytes again: so the registry knows it. */
const level = 3;

/** Writes a layer into a file, and compresses it where it is not. @throws what the streams throw; the signal's reason */
export async function writeLayer(
  content: AsyncIterable<Uint8Array>,
  { path, compression, signal }: { path: string; compression: Compression; signal: AbortSignal },
): Promise<LayerFile> {
  const [came, goes] = [createHash('sha256'), createHash('sha256')];
  let size = 0;
  const out = createWriteStream(path, { mode: 0o600 });
  const last = hashing(goes, (length) => {
    size += length;
  });
  if (compression === 'none') await pipeline(content, hashing(came), createGzip({ level }), last, out, { signal });
  else await pipeline(content, hashing(came), last, out, { signal });
  const isZstd = compression === 'zstd';
  return { path, digest: digestOf(goes), size, isZstd, contentDigest: digestOf(came) };
}

/** The same stream, taken into a hash as it flows. */
function hashing(hash: Hash, count: (length: number) => void = () => undefined): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      count(chunk.length);
      done(null, chunk);
    },
  });
}

function digestOf(hash: Hash): string {
  return `sha256:${hash.digest('hex')}`;
}
