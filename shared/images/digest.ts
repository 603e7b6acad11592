import { createHash } from 'node:crypto';

/** The digest of bytes, as registries and archives name them: `sha256:` and hex. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
