import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';

/** The part of a blob's path that Azure calls the storage account. */
export const ACCOUNT = 'labstorage';

export type Container = 'cache' | 'artifacts';

/** The content of a cache entry or an artifact. */
export interface Blob {
  readonly container: Container;
  readonly path: string;
  /** What was uploaded; undefined until the first upload is complete. */
  bytes: Buffer | undefined;
  contentType: string;
  modifiedAt: Date;
  /** Blocks that were uploaded and are not part of the blob yet, by their id. */
  readonly blocks: Map<string, Buffer>;
  /** Whether its owner was finalized: from then on nothing may write it. */
  isSealed: boolean;
}

/** What a signed URL lets its holder do. */
export type Operation = 'read' | 'write';

const LETTERS: Record<Operation, string> = { read: 'r', write: 'cw' };
const VALID_MINUTES: Record<Operation, number> = { read: 10, write: 60 };

/** Keeps the bytes of caches and artifacts in memory and signs URLs for them. */
export class Blobs {
  readonly #secret = randomBytes(32);
  readonly #blobs = new Map<string, Blob>();
  readonly #written: Buffer[] = [];
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  create(container: Container, suffix = ''): Blob {
    const blob: Blob = {
      container,
      path: `/${ACCOUNT}/${container}/${randomUUID()}${suffix}`,
      bytes: undefined,
      contentType: 'application/octet-stream',
      modifiedAt: this.#now(),
      blocks: new Map(),
      isSealed: false,
    };
    this.#blobs.set(blob.path, blob);
    return blob;
  }

  remove(blob: Blob): void {
    this.#blobs.delete(blob.path);
  }

  replace(blob: Blob, bytes: Buffer): void {
    this.#written.push(bytes);
    blob.bytes = bytes;
    blob.modifiedAt = this.#now();
    blob.blocks.clear();
  }

  /** A URL below `origin` for one operation, with the headers that a download shall have. */
  sign(blob: Blob, operation: Operation, origin: string, overrides: Readonly<Record<string, string>> = {}): string {
    const url = new URL(blob.path, origin);
    const expires = new Date(this.#now().getTime() + VALID_MINUTES[operation] * 60_000);
    const terms = { sv: '2025-11-05', sr: 'b', sp: LETTERS[operation], se: expires.toISOString(), ...overrides };
    for (const [name, value] of Object.entries(terms)) url.searchParams.set(name, value);
    url.searchParams.set('sig', this.#signature(url));
    return url.href;
  }

  /** Whether the URL was signed here for this operation and has not expired. */
  isAllowed(url: URL, operation: Operation): boolean {
    const { searchParams: terms } = url;
    const expires = Date.parse(terms.get('se') ?? '');
    const isValid = terms.get('sp') === LETTERS[operation] && expires > this.#now().getTime();
    return isValid && terms.get('sig') === this.#signature(url);
  }

  /** The bytes that any blob ever had, removed ones among them. */
  get written(): readonly Buffer[] {
    return this.#written;
  }

  find(path: string): Blob | undefined {
    return this.#blobs.get(path);
  }

  /** The signature covers the path and all terms but those that an upload in blocks adds. */
  #signature({ pathname, searchParams }: URL): string {
    const terms = [...searchParams].filter(([name]) => !['sig', 'comp', 'blockid'].includes(name)).sort();
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([pathname, terms]))
      .digest('base64');
  }
}

/** The digest of bytes as GitHub writes it. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
