import { gunzipSync, gzipSync } from 'node:zlib';
import { isRecord } from '../json.js';
import type { KubeObject } from './objects.js';

/** A ConfigMap holds 1 MiB in all; what is longer than this is compressed, which people can undo with `base64 -d | gunzip`. */
const plainBytes = 512 * 1024;
const suffix = '.gz';
/** What a compressed member may unpack to. */
const mostBytes = 32 * 1024 * 1024;

/** Texts as the content of a ConfigMap: as they are while they are short, and the longest compressed when they are not. */
export function packedTexts(texts: Readonly<Record<string, string>>): {
  data: Record<string, string>;
  binaryData?: Record<string, string>;
} {
  const plain = new Map(Object.entries(texts));
  const packed = new Map<string, string>();
  const size = (): number => [...plain.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  while (size() > plainBytes) {
    const [name, text] = [...plain].reduce((longest, one) => (one[1].length > longest[1].length ? one : longest));
    plain.delete(name);
    packed.set(`${name}${suffix}`, gzipSync(text).toString('base64'));
  }
  return { data: Object.fromEntries(plain), ...(packed.size === 0 ? {} : { binaryData: Object.fromEntries(packed) }) };
}

/** The texts of a ConfigMap that was written as `packedTexts` says; undefined where a member cannot be unpacked. */
export function unpackedTexts(object: KubeObject): Record<string, unknown> | undefined {
  const plain = isRecord(object.data) ? object.data : {};
  const packed = isRecord(object.binaryData) ? object.binaryData : {};
  try {
    const texts = Object.entries(packed).map(([name, value]) => [
      name.slice(0, -suffix.length),
      gunzipSync(Buffer.from(String(value), 'base64'), { maxOutputLength: mostBytes }).toString('utf8'),
    ]);
    return { ...plain, ...Object.fromEntries(texts) };
  } catch {
    return undefined;
  }
}
