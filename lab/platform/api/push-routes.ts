import { setTimeout as sleep } from 'node:timers/promises';
import { putBlob, putManifest } from '../image.js';
import { type Answer, ok, refuse } from './answer.js';
import { type ApiContext, hosts } from './context.js';
import { type Exchange, type Route, route } from './exchange.js';
import { readImageArchive } from './image-archive.js';
import { boundaryOf, FormError, type Part, partsOf } from './multipart.js';
import type { Principal } from './principal.js';

const largest = 512 * 1024 * 1024;
const longestField = 64 * 1024;

/** Pushing an image: the archive comes in a form, and goes to the registry. */
export function pushRoutes(context: ApiContext): Route[] {
  return [
    route({ service: 'runtime', streams: true }, /^\/runtime\/registry\/push$/, {
      POST: (exchange) => push(context, exchange),
    }),
  ];
}

async function push(context: ApiContext, { request, caller }: Exchange): Promise<Answer> {
  const boundary = boundaryOf(request.headers['content-type'] ?? '');
  if (boundary === undefined || caller === undefined) throw refuse(400, 'invalid multipart form');
  const { target, archive } = await readForm(partsOf(request, boundary), (form) => mayPush(caller, form));
  const { host, path, tag } = target;
  try {
    await sleep(context.settings.pushMs);
    // What another host says to it is not stood in for: no host but the registry can be reached.
    if (host !== hosts(context.domain).registry) throw new Error(`${host} cannot be reached`);
    const { config, layers } = await readImageArchive(archive);
    const blobs = [];
    for (const layer of layers) blobs.push(await putBlob(context.registryUrl, path, layer));
    await putManifest(context.registryUrl, path, tag, await putBlob(context.registryUrl, path, config), blobs);
  } catch {
    // The helper's own words are in the API's log alone.
    throw refuse(500, 'registry push failed');
  }
  return ok({ success: true, target: target.text });
}

/** Where an image is to go. */
export interface PushTarget {
  text: string;
  host: string;
  path: string;
  tag: string;
}

/**
 * Reads a push's form, whose parts are taken in one order only. What speaks against the push is said as soon as target
 * and scope are known, before the file has been read.
 *
 * @throws Refusal
 */
export async function readForm(
  parts: AsyncIterable<Part>,
  check: (form: { target: PushTarget; scope: string }) => void,
): Promise<{ target: PushTarget; archive: Buffer }> {
  const fields = new Map<string, string>();
  try {
    for await (const { name, bytes } of parts) {
      if (name !== 'image_tar') {
        fields.set(name, (await collect(bytes, longestField)).toString('utf8').trim());
        continue;
      }
      const text = fields.get('target') ?? '';
      if (text === '') throw refuse(400, 'target must be provided before image_tar');
      const target = targetOf(text);
      check({ target, scope: scopeOf(fields.get('scope') ?? '') });
      const archive = await collect(bytes, largest);
      for await (const later of parts) {
        if (['target', 'scope'].includes(later.name)) {
          throw refuse(400, 'target and scope must be provided before image_tar');
        }
      }
      return { target, archive };
    }
  } catch (error) {
    if (error instanceof FormError) throw refuse(400, 'invalid multipart form');
    throw error;
  }
  throw refuse(400, 'image_tar is required');
}

async function collect(bytes: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > limit) throw refuse(400, 'failed to store uploaded image');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const scopes = ['', 'tenant', 'org', 'public'];

/** @throws Refusal of a scope that there is not */
export function scopeOf(text: string): string {
  if (!scopes.includes(text))
    throw refuse(400, `scope ${JSON.stringify(text)} is invalid (use tenant, org, or public)`);
  return text;
}

function targetOf(text: string): PushTarget {
  const slash = text.indexOf('/');
  if (slash < 0) throw refuse(403, 'target must include a registry/repository path');
  const [host, rest] = [text.slice(0, slash), text.slice(slash + 1)];
  if (!/[.:]/.test(host) && host !== 'localhost') throw refuse(403, 'target must include a registry host');
  const [, path = rest, tag = 'latest'] = /^(.*):([^:/]+)$/.exec(rest) ?? [];
  return { text, host, path, tag };
}

/** @throws Refusal of a target that the caller may not push to */
export function mayPush(caller: Principal, { target, scope }: { target: PushTarget; scope: string }): void {
  if (scope === 'org' || scope === 'public') {
    if (caller.role !== 'admin') throw refuse(403, `${scope} catalog writes are restricted to admins`);
    return;
  }
  const [first, ...rest] = target.path.split('/');
  if (rest.length === 0) throw refuse(403, 'tenant registry pushes require a team-scoped repository path');
  if (caller.role === 'admin' || caller.teams.some(({ slug }) => slug === first)) return;
  const byNamespace = caller.teams.find(({ namespace }) => namespace === first);
  if (byNamespace !== undefined) throw refuse(403, `image repository must be scoped to "${byNamespace.slug}"`);
  const names = caller.teams.map(({ slug, namespace }) => `"${slug}" or "${namespace}"`).join(' or ');
  throw refuse(403, `repository must be scoped to one of your teams (${names})`);
}
