import { textAt } from '../../../cluster/fields.js';
import { McprtError } from '../../../errors.js';
import { digestOf } from '../../../images/digest.js';
import { hasBlob, sendBlob } from '../../../images/registry-blob.js';
import { type RegistryCalls, RegistryRefusal, registryCalls } from '../../../images/registry-call.js';
import type { RegistryRoute } from '../../../images/route.js';
import { isRecord, parsedJson } from '../../../json.js';
import { packArchive, unpackArchive } from '../../archive.js';
import { isWanted, nextWhenMissing, type Store } from '../store.js';
import { type OciAddress, ociFate } from './oci-address.js';
import { type Asked, type Doing, ociFailure } from './oci-failure.js';
import { type Descriptor, emptyConfig, layersOf, manifestOf, mediaTypes } from './oci-manifest.js';

export interface OciPorts {
  route: RegistryRoute;
  address: OciAddress;
  /** Whether it is GitHub's own registry. */
  isGithub: boolean;
  hasCredentials: boolean;
  signal: AbortSignal;
  /** ms before a second try; each further one is twice as long. */
  firstPause?: number;
}

/** A tag has no more characters, by the specification. */
const longestTag = 128;
/** Of a header that says where a list goes on, in characters. */
const longestLink = 8_192;
/** What a registry says is wrong, in bytes. */
const longestComplaint = 64 * 1024;
/** Of the list of tags; time in ms. */
const listLimits = { pages: 100, time: 120_000, perPage: 100 } as const;

/** A repository of an OCI registry: each backup is an artifact, its name the tag and its digest what it is. */
export function ociStore({ route, address, isGithub, hasCredentials, signal, firstPause }: OciPorts): Store {
  const { origin, repository, shown } = address;
  const asked: Asked = { shown, origin, isGithub, hasCredentials };
  const base = `/v2/${repository}`;
  const reading = registryCalls(route, signal, firstPause);
  // Who may only read must not be asked for more; and some registries name too little.
  const writing = registryCalls(route, signal, firstPause, `repository:${repository}:pull,push`);
  const deleting = registryCalls(route, signal, firstPause, `repository:${repository}:pull,push,delete`);
  /** What this run has stored, by its name. */
  const own = new Map<string, string>();

  const told = async <T>(doing: Doing, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw ociFailure(error, doing, asked);
    }
  };
  const manifestAt = async (calls: RegistryCalls, reference: string): Promise<Buffer | undefined> => {
    const headers = { accept: mediaTypes.manifest };
    const path = `${base}/manifests/${reference}`;
    const { status, body } = await calls.retrying(() => calls.ask({ method: 'GET', path, headers }, [404]));
    return status === 404 ? undefined : body;
  };
  const blobAt = async ({ digest, size }: Descriptor): Promise<Buffer> => {
    const path = `${base}/blobs/${digest}`;
    const { status, body } = await reading.retrying(() =>
      reading.ask({ method: 'GET', path }, [404], Math.max(size, longestComplaint)),
    );
    if (status === 404) throw incomplete(shown, digest);
    if (digestOf(body) !== digest || body.length !== size) throw otherDigest(shown, digest, digestOf(body));
    return body;
  };
  const fetchTag = (tag: string): Promise<{ bytes: Buffer; digest: string }> =>
    told('read', async () => {
      const manifest = await manifestAt(reading, tag);
      if (manifest === undefined) throw missed(tag, shown);
      const { statement, payload } = layersOf(manifest);
      const bytes = await packArchive({ statement: await blobAt(statement), payload: await blobAt(payload) });
      return { bytes, digest: digestOf(manifest) };
    });
  const send = async (mediaType: string, content: Buffer): Promise<Descriptor> => {
    const descriptor = { mediaType, digest: digestOf(content), size: content.length };
    if (!(await hasBlob(writing, repository, descriptor.digest))) {
      await sendBlob(writing, repository, descriptor, () => content);
    }
    return descriptor;
  };

  return {
    name: 'oci',
    fate: ociFate(address),
    async save(name, bytes) {
      if (name.length > longestTag) throw tooLong(name);
      const parts = await unpackArchive(bytes);
      const digest = await told('write', async () => {
        // A registry knows no condition: who comes second would move the tag.
        if ((await manifestAt(writing, name)) !== undefined) throw taken(name, shown);
        const config = await send(mediaTypes.empty, emptyConfig);
        const layers = {
          statement: await send(mediaTypes.statement, parts.statement),
          payload: await send(mediaTypes.payload, parts.payload),
        };
        const manifest = manifestOf(config, layers);
        const headers = { 'content-type': mediaTypes.manifest };
        await writing.retrying(() =>
          writing.ask({ method: 'PUT', path: `${base}/manifests/${name}`, headers, body: manifest }),
        );
        return digestOf(manifest);
      });
      own.set(name, digest);
      const where = `${shown}:${name}@${digest}`;
      return { where, until: undefined, notes: [where, 'kept as long as the registry keeps it'] };
    },
    async read(name) {
      const { bytes, digest } = await fetchTag(name);
      if ((own.get(name) ?? digest) !== digest) throw taken(name, shown);
      return bytes;
    },
    async list(wanted) {
      const { tags, cut } = await told('read', () =>
        'name' in wanted ? oneTag(reading, base, wanted.name) : allTags(reading, base, shown),
      );
      const digests = new Map<string, string>();
      return {
        entries: tags
          .filter((tag) => isWanted(tag, wanted))
          .map((tag) => ({
            name: tag,
            foreign: undefined,
            fetch: async () => {
              const { bytes, digest } = await fetchTag(tag);
              digests.set(tag, digest);
              return bytes;
            },
            remove: () =>
              told('delete', async () => {
                // What was looked at is deleted, and not what the tag may lead to by now.
                const digest = digests.get(tag) ?? digestOf((await manifestAt(reading, tag)) ?? Buffer.alloc(0));
                const path = `${base}/manifests/${digest}`;
                const request = { method: 'DELETE', path };
                const answer = await deleting.retrying(() => deleting.ask(request, [404]));
                if (answer.status === 404 && (await manifestAt(reading, digest)) !== undefined)
                  throw unsupported(answer.body);
              }),
          })),
        cut,
        where: `the tags of ${shown} were looked through`,
      };
    },
    async holds() {
      return {
        until: undefined,
        words: `as long as the registry keeps it: its rules of retention must spare tags that begin with mcprt-backup-`,
      };
    },
  };
}

interface Tags {
  tags: string[];
  cut: McprtError | undefined;
}

async function oneTag(calls: RegistryCalls, base: string, tag: string): Promise<Tags> {
  // What no tag can be called would lead elsewhere.
  if (!/^\w[\w.-]{0,127}$/.test(tag)) return { tags: [], cut: undefined };
  const path = `${base}/manifests/${tag}`;
  const headers = { accept: mediaTypes.manifest };
  const { status } = await calls.retrying(() => calls.ask({ method: 'HEAD', path, headers }, [404]));
  return { tags: status === 404 ? [] : [tag], cut: undefined };
}

/** Follows the pages that a registry gives, as far as the limits go. */
async function allTags(calls: RegistryCalls, base: string, shown: string): Promise<Tags> {
  const end = Date.now() + listLimits.time;
  const found = new Set<string>();
  const seen = new Set<string>();
  let path: string | undefined = `${base}/tags/list?n=${listLimits.perPage}`;
  for (; path !== undefined; ) {
    if (seen.size >= listLimits.pages || Date.now() > end || seen.has(path)) {
      return { tags: [...found], cut: listCut(shown, found.size) };
    }
    seen.add(path);
    const asked: string = path;
    const { status, headers, body } = await calls.retrying(() => calls.ask({ method: 'GET', path: asked }, [404, 405]));
    const content = parsedJson(body.toString('utf8'));
    if (status !== 200) {
      // Where no backup was ever stored there is no repository yet.
      if (isRecord(content) && Array.isArray(content.errors) && status === 404) return { tags: [], cut: undefined };
      throw unlisted(shown, status);
    }
    if (!isRecord(content)) throw unlisted(shown, status);
    for (const tag of Array.isArray(content.tags) ? content.tags : []) {
      if (typeof tag === 'string') found.add(tag);
    }
    path = nextPage(headers.link, base, calls.origin);
  }
  return { tags: [...found], cut: undefined };
}

/** Where a list goes on; undefined at its end, and for a way that leads elsewhere. */
export function nextPage(link: string | string[] | undefined, base: string, origin: string): string | undefined {
  const parts = [link ?? []].flat().flatMap((text) => text.slice(0, longestLink).split('<'));
  const ways = parts.map((part) => part.split('>', 2));
  const target = ways.find(([, more = '']) => /^ ?; ?rel="?next"?/i.test(more))?.[0];
  const url = target === undefined ? null : URL.parse(target, `${origin}${base}/tags/list`);
  return url?.pathname === `${base}/tags/list` ? `${url.pathname}${url.search}` : undefined;
}

function unsupported(body: Buffer): RegistryRefusal {
  const said = textAt(parsedJson(body.toString('utf8')), 'message').slice(0, 200);
  const text = {
    what: 'the registry answers 404 to DELETE of what is there',
    why: said || 'it knows no such call',
    next: '',
  };
  return new RegistryRefusal('registry-refused', text, 405, body);
}

function missed(tag: string, shown: string): McprtError {
  return new McprtError('store-miss', {
    what: `there is no backup ${tag} in ${shown}`,
    why: 'the registry has no such tag',
    next: nextWhenMissing.oci,
  });
}

function taken(tag: string, shown: string): McprtError {
  return new McprtError('store-duplicate', {
    what: `the tag ${tag} is taken in ${shown}`,
    why: 'another run, or somebody else, has stored something under that name',
    next: 'run it again: each attempt stores under a name of its own; find out who else writes to this repository',
  });
}

function tooLong(name: string): McprtError {
  return new McprtError('store-write', {
    what: 'the domain is too long for a tag',
    why: `${name} has ${name.length} characters, and a registry’s tag at most ${longestTag}`,
    next: 'use another store for this platform, such as s3',
  });
}

function incomplete(shown: string, digest: string): McprtError {
  return new McprtError('store-incomplete', {
    what: `a part of the backup is not in ${shown}`,
    why: `its manifest names ${digest}, which the registry does not have: it was written in half, or cleaned up`,
    next: 'use another store or generation; where the registry collects garbage, see that it does not run while somebody pushes',
  });
}

function otherDigest(shown: string, expected: string, got: string): McprtError {
  return new McprtError('store-digest', {
    what: `${shown} gives other bytes than it was asked for`,
    why: `${expected} was asked for, and what came has ${got}`,
    next: 'use another store or generation, and find out what stands between this machine and the registry, or who can write to its storage',
  });
}

function unlisted(shown: string, status: number): McprtError {
  return new McprtError('store-unlisted', {
    what: `the registry does not list the tags of ${shown}`,
    why: `it answers ${status} without a list`,
    next: 'name the backup with `name`, which asks for just that tag; the summary of each backup shows it. Check host and path in `oci`',
  });
}

function listCut(shown: string, read: number): McprtError {
  return new McprtError('store-cut', {
    what: `not all tags of ${shown} could be looked through`,
    why: `${read} were read; no more are in ${listLimits.pages} pages and ${listLimits.time / 1000} s, or the registry sends in circles`,
    next: 'name the backup with `name`, which asks for just that tag: the summary of each backup shows it. Then delete what nobody needs, or give backups a repository of their own',
  });
}
