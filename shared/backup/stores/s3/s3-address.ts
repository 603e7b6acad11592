import { withoutEndSlashes } from '../../../text.js';

/** Where backups are in a bucket. */
export interface S3Address {
  bucket: string;
  /** Ends with a slash; empty for the top of the bucket. */
  prefix: string;
  /** Of the server, without a slash at its end; `{bucket}` stands where the bucket is part of the name. Undefined for AWS. */
  endpoint: string | undefined;
}

/** AWS and those who stand in for it take this one where nobody says another. */
export const usualRegion = 'us-east-1';
/** Of a key, in bytes; what a backup is called needs some of them. */
const longestPrefix = 512;

/**
 * Reads `BUCKET` or `BUCKET/PREFIX`, and the address of a server.
 *
 * @param endpoint such as `https://HOST:9000`, or `https://{bucket}.HOST`; empty for AWS
 * @returns undefined for what is none
 */
export function parseS3Address(text: string, endpoint: string): S3Address | undefined {
  const [, bucket = '', rest = ''] = /^(?:s3:\/\/)?([^/]+)\/?(.*)$/s.exec(text.trim()) ?? [];
  if (!/^[A-Za-z0-9][\w.-]{1,61}[A-Za-z0-9]$/.test(bucket)) return undefined;
  const parts = rest.split('/').filter((part) => part !== '');
  const prefix = parts.map((part) => `${part}/`).join('');
  // A URL with these names another key.
  if (parts.some((part) => part === '.' || part === '..')) return undefined;
  if (Buffer.byteLength(prefix) > longestPrefix || !prefix.isWellFormed()) return undefined;
  const server = serverOf(endpoint);
  return server === null ? undefined : { bucket, prefix, endpoint: server };
}

function serverOf(endpoint: string): string | undefined | null {
  if (endpoint === '') return undefined;
  const url = URL.parse(endpoint.replace('{bucket}', 'bucket'));
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '';
  if (!isPlain || url.username !== '' || url.search !== '' || url.hash !== '') return null;
  return withoutEndSlashes(endpoint);
}

/** Whether the bucket is part of the server's name. */
export function isVirtualHost({ endpoint, bucket }: S3Address): boolean {
  // TLS certificates for any bucket are for one label.
  return endpoint === undefined ? !bucket.includes('.') : endpoint.includes('{bucket}');
}

/** The address of the bucket, or of a key in it. */
export function urlOf(
  address: S3Address,
  region: string,
  key = '',
  query: Readonly<Record<string, string>> = {},
): string {
  const { bucket, endpoint } = address;
  const isVirtual = isVirtualHost(address);
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const server = endpoint ?? `https://${isVirtual ? '{bucket}.' : ''}s3.${region}.${domain}`;
  const base = isVirtual ? server.replace('{bucket}', bucket) : `${server}/${encoded(bucket)}`;
  const path = key.split('/').map(encoded).join('/');
  const terms = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return `${base}/${path}${terms.length === 0 ? '' : `?${terms.join('&')}`}`;
}

/** Percent-encoded as a signature has it: whatever is not plain. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What takes all that is in a bucket. */
export function s3Fate({ bucket, endpoint }: S3Address): string {
  return `the bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint.replace(/^https?:\/\//, '')}`}`;
}
