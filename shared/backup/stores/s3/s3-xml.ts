import type { XmlElement } from '@rgrove/parse-xml';

/** What a server says is wrong. */
export interface S3Complaint {
  /** Such as `NoSuchBucket`; empty where the answer is not S3's. */
  code: string;
  message: string;
  /** The region that is right, where it says so. */
  region: string;
}

/** A page of a list. */
export interface S3Page {
  keys: string[];
  /** Where the next one begins; undefined at the end. */
  next: string | undefined;
  isTruncated: boolean;
}

/** What an answer says is wrong. */
export async function complaintOf(body: Buffer): Promise<S3Complaint> {
  const root = await rootOf(body);
  const error = root?.name === 'Error' ? root : undefined;
  return {
    code: textOf(error, 'Code').slice(0, 80),
    message: textOf(error, 'Message').slice(0, 300),
    region: regionIn(textOf(error, 'Region')),
  };
}

/** A region's name, or nothing. */
export function regionIn(text: string): string {
  return /^[a-z0-9-]{1,40}$/i.test(text) ? text : '';
}

/** What a page of a list holds; undefined for another answer. */
export async function pageOf(body: Buffer): Promise<S3Page | undefined> {
  const root = await rootOf(body);
  if (root?.name !== 'ListBucketResult') return undefined;
  // Not every server encodes where it is asked to.
  const isEncoded = textOf(root, 'EncodingType') === 'url';
  const keys = elements(root, 'Contents').map((one) => textOf(one, 'Key'));
  const next = textOf(root, 'NextContinuationToken');
  return {
    keys: isEncoded ? keys.map(decoded) : keys,
    next: next === '' ? undefined : next,
    isTruncated: textOf(root, 'IsTruncated') === 'true',
  };
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}

/** The parser expands no entities and reads no other files; what is no XML has no root. */
async function rootOf(body: Buffer): Promise<XmlElement | undefined> {
  if (body.length === 0) return undefined;
  const { parseXml } = await import('@rgrove/parse-xml');
  try {
    return parseXml(body.toString('utf8')).root ?? undefined;
  } catch {
    return undefined;
  }
}

function elements(parent: XmlElement, name: string): XmlElement[] {
  return parent.children.filter(
    (one): one is XmlElement => one.type === 'element' && 'name' in one && one.name === name,
  );
}

function textOf(parent: XmlElement | undefined, name: string): string {
  return (parent === undefined ? undefined : elements(parent, name)[0])?.text ?? '';
}
