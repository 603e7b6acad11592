import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { McprtError } from '../errors.js';
import type { ImageArchive } from '../images/archive.js';
import type { ApiCaller } from '../platform/api.js';

/** The platform takes no larger image. */
const largest = 512 * 1024 * 1024;
/** A push that takes this many times as long as it may is not waited for any longer. */
const patience = 4;

/**
 * Pushes an image through the platform's API, as a tenant does.
 *
 * @param limit how long it may take, in ms (runbook, tenant push: about 30 s)
 * @returns how long it took, in ms
 * @throws McprtError `smoke-push`, `smoke-push-denied`, `smoke-push-slow`, and of the call
 */
export async function pushImageArchive(
  caller: ApiCaller,
  { archive, target, limit }: { archive: ImageArchive; target: string; limit: number },
): Promise<number> {
  if (archive.size > largest) {
    throw new McprtError('smoke-push', {
      what: `the image is too large to be pushed`,
      why: `${megabytes(archive.size)} in ${archive.file}; the platform takes 512 MB`,
      next: 'make the image smaller: a base image of less, and several stages',
    });
  }
  const started = performance.now();
  const answer = await caller
    .call('POST', '/runtime/registry/push', {
      stream: multipart({ target, scope: 'tenant' }, () => createReadStream(archive.file)),
      accept: [200, 400, 403, 500],
      deadline: limit * patience,
    })
    .catch((error: unknown) => {
      if (error instanceof McprtError && error.code === 'smoke-timeout') throw slow(limit * patience, limit, archive);
      throw error;
    });
  const took = performance.now() - started;
  if (answer.status === 403) {
    throw new McprtError('smoke-push-denied', {
      what: `the platform does not take an image as ${target}`,
      why: answer.told,
      next: 'a tenant pushes below the slug of a team that it is in; log in again after a membership was changed',
    });
  }
  if (answer.status !== 200) {
    throw new McprtError('smoke-push', {
      what: `${target} cannot be pushed`,
      why: answer.told,
      next: 'the reason is in the API’s log only: `kubectl logs -n mcp-sentinel deployment/mcp-runtime-api` (mcp-sentinel-api in the layout mono); it starts a pod registry-pusher-… in mcp-sentinel for each push',
    });
  }
  if (took > limit) throw slow(took, limit, archive);
  return took;
}

/** A form of fields and one file, in the order that the platform insists on. */
export function multipart(
  fields: Readonly<Record<string, string>>,
  image: () => Readable,
): { body: Readable; headers: Record<string, string> } {
  const boundary = `mcprt-${randomBytes(12).toString('hex')}`;
  async function* parts(): AsyncGenerator<string | Buffer> {
    for (const [name, value] of Object.entries(fields)) {
      yield `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    }
    yield `--${boundary}\r\ncontent-disposition: form-data; name="image_tar"; filename="image.tar"\r\ncontent-type: application/octet-stream\r\n\r\n`;
    yield* image();
    yield `\r\n--${boundary}--\r\n`;
  }
  return { body: Readable.from(parts()), headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } };
}

function slow(took: number, limit: number, { size }: ImageArchive): McprtError {
  return new McprtError('smoke-push-slow', {
    what: `the push took ${took >= limit * patience ? 'more than ' : ''}${(took / 1000).toFixed(1)} s, and may take ${limit / 1000} s`,
    why: `${megabytes(size)} through the platform’s API into its registry`,
    next: 'look at the registry’s disk and at the pods registry-pusher-…, which fetch the image first: `kubectl get pods,events -n mcp-sentinel`; a large image may have another `push-limit`',
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
