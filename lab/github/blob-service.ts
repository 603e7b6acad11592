import { createHash, randomUUID } from 'node:crypto';
import type { Blob, Blobs } from './blobs.js';
import type { Faults } from './faults.js';
import type { Call, Reply } from './http.js';

/**
 * The part of Azure's Blob service that the clients use: Put Blob, Put Block, Put Block List, Get Blob with ranges and
 * Get Blob Properties, all by signed URL. Rules: Azure's reference of the Blob service REST API.
 */
export function answerBlobCall(call: Call, blobs: Blobs, faults: Faults): Reply {
  const operation = call.method === 'PUT' ? 'write' : 'read';
  if (!blobs.isAllowed(call.url, operation)) return failure(403, 'AuthenticationFailed');
  const blob = blobs.find(call.url.pathname);
  if (blob === undefined) return failure(404, 'BlobNotFound');
  if (call.method === 'PUT') return put(call, blob, blobs);
  if (call.method === 'GET' || call.method === 'HEAD') return get(call, blob, faults);
  return failure(405, 'UnsupportedHttpVerb');
}

function failure(status: number, code: string): Reply {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml', 'x-ms-error-code': code }, body };
}

function put(call: Call, blob: Blob, blobs: Blobs): Reply {
  if (blob.isSealed) return failure(409, 'BlobImmutableDueToPolicy');
  const terms = call.url.searchParams;
  const component = terms.get('comp');
  if (component === 'block') return putBlock(blob, terms.get('blockid') ?? '', call.body);
  if (component !== 'blocklist' && component !== null) return failure(400, 'InvalidQueryParameterValue');
  if (component === null && call.headers['x-ms-blob-type'] !== 'BlockBlob') return failure(400, 'InvalidHeaderValue');
  const bytes = component === null ? call.body : assemble(blob, call.body.toString());
  if (bytes === undefined) return failure(400, 'InvalidBlockList');
  blobs.replace(blob, bytes);
  blob.contentType = String(call.headers['x-ms-blob-content-type'] ?? 'application/octet-stream');
  return { status: 201, headers: propertiesOf(blob) };
}

function putBlock(blob: Blob, id: string, bytes: Buffer): Reply {
  const [other] = blob.blocks.keys();
  const isBase64 = id !== '' && Buffer.from(id, 'base64').toString('base64') === id;
  if (!isBase64 || (other !== undefined && other.length !== id.length)) return failure(400, 'InvalidBlobOrBlock');
  blob.blocks.set(id, bytes);
  return { status: 201, headers: { 'x-ms-request-id': randomUUID(), 'x-ms-request-server-encrypted': 'true' } };
}

/** The blocks in the order of the list, whatever order they came in; undefined when one was not uploaded anew. */
function assemble({ blocks }: Blob, list: string): Buffer | undefined {
  const ids = [...list.matchAll(/<(?:Latest|Uncommitted|Committed)>([^<]+)</g)].map(([, id = '']) => id);
  const found = ids.map((id) => blocks.get(id)).filter((bytes) => bytes !== undefined);
  return found.length === ids.length ? Buffer.concat(found) : undefined;
}

function propertiesOf({ path, modifiedAt, bytes }: Blob): Record<string, string> {
  const version = createHash('sha1')
    .update(path)
    .update(bytes ?? '')
    .digest('hex');
  return {
    etag: `"0x${version.slice(0, 16).toUpperCase()}"`,
    'last-modified': modifiedAt.toUTCString(),
    'x-ms-request-id': randomUUID(),
    'x-ms-version': '2025-11-05',
  };
}

function get(call: Call, blob: Blob, faults: Faults): Reply {
  const { bytes } = blob;
  if (bytes === undefined) return failure(404, 'BlobNotFound');
  const terms = call.url.searchParams;
  const disposition = terms.get('rscd');
  const headers = {
    ...propertiesOf(blob),
    'content-type': terms.get('rsct') ?? blob.contentType,
    'accept-ranges': 'bytes',
    'x-ms-blob-type': 'BlockBlob',
    ...(disposition !== null && { 'content-disposition': disposition }),
  };
  const wanted = /^bytes=(\d+)-(\d*)$/.exec(String(call.headers['x-ms-range'] ?? call.headers.range ?? ''));
  const start = Number(wanted?.[1] ?? 0);
  const end = wanted?.[2] ? Math.min(Number(wanted[2]), bytes.length - 1) : bytes.length - 1;
  if (wanted !== null && start >= bytes.length) return failure(416, 'InvalidRange');
  const body = bytes.subarray(start, end + 1);
  const range = { 'content-range': `bytes ${start}-${end}/${bytes.length}` };
  const isAltered = call.method === 'GET' && faults.hits('altered-download', blob.container);
  const isCut = call.method === 'GET' && faults.hits('truncated-download', blob.container);
  return {
    status: wanted === null ? 200 : 206,
    headers: wanted === null ? headers : { ...headers, ...range },
    body: isAltered ? altered(body) : body,
    ...(isCut && { cutAfter: Math.floor(body.length / 2) }),
  };
}

function altered(bytes: Buffer): Buffer {
  const middle = Math.floor(bytes.length / 2);
  return Buffer.concat([
    bytes.subarray(0, middle),
    Buffer.from([~(bytes[middle] ?? 0) & 0xff]),
    bytes.subarray(middle + 1),
  ]);
}
