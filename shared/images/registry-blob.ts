import type { Readable } from 'node:stream';
import { McprtError } from '../errors.js';
import type { RegistryCalls, RegistryReply } from './registry-call.js';

/** Whether a repository has a blob. @throws of `RegistryCalls` */
export async function hasBlob(calls: RegistryCalls, repository: string, digest: string): Promise<boolean> {
  const path = `/v2/${repository}/blobs/${digest}`;
  // One that is kept elsewhere is told by the way there.
  const { status } = await calls.retrying(() => calls.ask({ method: 'HEAD', path }, [302, 303, 307, 308, 404]));
  return status !== 404;
}

/**
 * Sends a blob: asks where it goes, and sends it there at once.
 *
 * @param content its bytes, anew for each try
 * @throws of `RegistryCalls`
 */
export async function sendBlob(
  calls: RegistryCalls,
  repository: string,
  { digest, size }: { digest: string; size: number },
  content: () => Readable | Buffer,
): Promise<void> {
  await calls.retrying(async () => {
    const begin = { method: 'POST', path: `/v2/${repository}/blobs/uploads/`, body: Buffer.alloc(0) };
    const way = wayOf(calls, await calls.ask(begin));
    await calls.ask({
      method: 'PUT',
      path: `${way}${way.includes('?') ? '&' : '?'}digest=${digest}`,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: content(),
    });
  });
}

/** Where an upload goes on: a registry names itself by whatever name it knows, or takes uploads elsewhere on its own host. */
function wayOf({ name, origin }: RegistryCalls, { headers }: RegistryReply): string {
  const location = headers.location;
  const url = typeof location === 'string' ? URL.parse(location, origin) : null;
  const isOwn = url !== null && (url.pathname.startsWith('/v2/') || url.host === new URL(origin).host);
  if (isOwn && /^\/[^\r\n]+$/.test(url.pathname)) return `${url.pathname}${url.search}`;
  throw new McprtError('registry-refused', {
    what: `${name} does not say where a layer goes`,
    why: `it names ${String(location ?? 'no place')
      .replace(/\?.*/, '')
      .slice(0, 200)}`,
    next: 'check what stands between this machine and the registry',
  });
}
