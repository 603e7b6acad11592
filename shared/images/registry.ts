import { at, numberAt, recordsAt, textAt } from '../cluster/fields.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { digestOf } from './digest.js';
import { registryCalls } from './registry-call.js';
import type { RegistryRoute } from './route.js';

/** An image as the registry has it. */
export interface FoundImage {
  digest: string;
  /** Digests of the manifests in an index; empty for a single image. */
  children: string[];
  /** `os/architecture` of each image in it; empty where none is told. */
  platforms: string[];
  labels: Readonly<Record<string, string>>;
}

export interface ImageRegistry {
  /**
   * What a tag or digest names; undefined when the registry has no such image. Every digest is computed, not believed.
   *
   * @throws McprtError `registry-unreachable`, `registry-busy` (both after some tries), `registry-unauthorized`,
   * `registry-refused`, `registry-digest`; the signal's reason
   */
  find(repository: string, reference: string): Promise<FoundImage | undefined>;
  /** The layers of an image by their digests before they were compressed; none where it is not there. @throws as `find` */
  layers(repository: string, digest: string): Promise<ReadonlyMap<string, StoredLayer>>;
}

/** A layer as a registry has it. */
export interface StoredLayer {
  mediaType: string;
  digest: string;
  /** In bytes. */
  size: number;
  /** Where it is. */
  repository: string;
}

const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** An index has an image for each platform, and an attestation; what is in an index may be one too. */
const mostParts = 200;

/**
 * Reads images of a registry.
 *
 * @param signal ends every request
 * @param firstPause ms before the second try; each further one is twice as long
 */
export function openRegistry(route: RegistryRoute, signal: AbortSignal, firstPause = 300): ImageRegistry {
  const { name, ask, retrying } = registryCalls(route, signal, firstPause);
  const read = async (path: string): Promise<Buffer | undefined> => {
    const headers = { accept: [...indexTypes, ...manifestTypes, '*/*;q=0.1'].join(', ') };
    const { status, body } = await retrying(() => ask({ method: 'GET', path, headers }, [404]));
    return status === 404 ? undefined : body;
  };
  const readManifest = async (repository: string, reference: string): Promise<Manifest | undefined> => {
    const body = await read(`/v2/${repository}/manifests/${reference}`);
    if (body === undefined) return undefined;
    const digest = digestOf(body);
    if (reference.startsWith('sha256:') && reference !== digest) throw tampered(name, repository, reference, digest);
    const content = parsed(body);
    if (!isManifest(content)) throw noManifest(name, `${repository}:${reference}`, content);
    return { digest, content };
  };
  const readConfig = async (repository: string, { content }: Manifest): Promise<unknown> => {
    const wanted = textAt(content, 'config', 'digest');
    const body = await read(`/v2/${repository}/blobs/${wanted}`);
    if (body !== undefined && digestOf(body) !== wanted) throw tampered(name, repository, wanted, digestOf(body));
    return body === undefined ? {} : parsed(body);
  };
  /** The images of an index and of the indexes in it, once each. */
  const partsOf = async (repository: string, index: Manifest, known = new Map<string, Part>()): Promise<Part[]> => {
    for (const one of recordsAt(index.content, 'manifests')) {
      const digest = textAt(one, 'digest');
      if (known.has(digest)) continue;
      if (known.size >= mostParts) throw tooManyParts(name, repository, index.digest);
      const platform = platformOf(at(one, 'platform'));
      const part: Part = { digest, platform, isImage: !isAttestation(one) && !/unknown/.test(platform) };
      known.set(digest, part);
      // Some tools tell no platform: it is in the configuration then, unless this is an index itself.
      if (!part.isImage || platform !== '') continue;
      const inner = await readManifest(repository, digest);
      if (inner === undefined) continue;
      if (isIndex(inner.content)) {
        part.isImage = false;
        await partsOf(repository, inner, known);
      } else part.platform = platformOf(await readConfig(repository, inner));
    }
    return [...known.values()];
  };
  return {
    async find(repository, reference) {
      const manifest = await readManifest(repository, reference);
      if (manifest === undefined) return undefined;
      if (isIndex(manifest.content)) {
        const parts = await partsOf(repository, manifest);
        const images = parts.filter(({ isImage }) => isImage);
        const first = images[0] === undefined ? undefined : await readManifest(repository, images[0].digest);
        return {
          digest: manifest.digest,
          children: parts.map(({ digest }) => digest),
          platforms: images.map(({ platform }) => platform).filter((one) => one !== ''),
          // The labels of an index are those of its first image.
          labels: first === undefined ? {} : labelsOf(await readConfig(repository, first)),
        };
      }
      const config = await readConfig(repository, manifest);
      return {
        digest: manifest.digest,
        children: [],
        platforms: [platformOf(config)].filter((one) => one !== ''),
        labels: labelsOf(config),
      };
    },
    async layers(repository, digest) {
      const found = await readManifest(repository, digest);
      if (found === undefined) return new Map();
      const parts = isIndex(found.content) ? await partsOf(repository, found) : [];
      const first = parts.find(({ isImage }) => isImage)?.digest;
      const manifest = first === undefined ? found : await readManifest(repository, first);
      if (manifest === undefined) return new Map();
      return layersOf(repository, manifest, await readConfig(repository, manifest));
    },
  };
}

function layersOf(repository: string, { content }: Manifest, config: unknown): Map<string, StoredLayer> {
  const diffIds = at(config, 'rootfs', 'diff_ids');
  const layers = recordsAt(content, 'layers');
  // Where the two do not go together, nothing is known.
  if (!Array.isArray(diffIds) || diffIds.length !== layers.length) return new Map();
  return new Map(
    layers.map((layer, place) => {
      const [mediaType, digest] = [textAt(layer, 'mediaType'), textAt(layer, 'digest')];
      return [String(diffIds[place]), { mediaType, digest, size: numberAt(layer, 'size') ?? 0, repository }];
    }),
  );
}

/** What an index has: an image, an attestation of one, or another index. */
interface Part {
  digest: string;
  /** `os/architecture`; empty where none is told. */
  platform: string;
  isImage: boolean;
}

interface Manifest {
  digest: string;
  content: unknown;
}

function isIndex(content: unknown): boolean {
  return Array.isArray(at(content, 'manifests'));
}

function isManifest(content: unknown): boolean {
  return isIndex(content) || textAt(content, 'config', 'digest') !== '';
}

/** Attestations are in an index too: of the platform unknown/unknown, or marked as what they are. */
function isAttestation(part: Record<string, unknown>): boolean {
  return textAt(part, 'annotations', 'vnd.docker.reference.type') === 'attestation-manifest';
}

function platformOf(value: unknown): string {
  const [os, architecture] = [textAt(value, 'os'), textAt(value, 'architecture')];
  return os === '' || architecture === '' ? '' : `${os}/${architecture}`;
}

function labelsOf(config: unknown): Record<string, string> {
  const labels = at(config, 'config', 'Labels');
  const entries = Object.entries(isRecord(labels) ? labels : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // What is no JSON has no fields; whoever needs one of them says so.
    return {};
  }
}

function tampered(name: string, repository: string, wanted: string, found: string): McprtError {
  return new McprtError('registry-digest', {
    what: `${name} gave something else than was asked for`,
    why: `${repository}@${wanted}: what came has the digest ${found}`,
    next: 'nothing was changed; find out what stands between this machine and the registry',
  });
}

function noManifest(name: string, image: string, content: unknown): McprtError {
  const isOld = at(content, 'schemaVersion') === 1;
  return new McprtError('registry-refused', {
    what: `${name} gives no manifest of ${image}`,
    why: isOld
      ? 'what it has is of the first schema, which containerd does not pull any more'
      : 'what it answers is something else, such as the page of a login',
    next: isOld
      ? 'push the image again with a present Docker'
      : 'look at what stands before the registry; `registry-access: port-forward` goes around it',
  });
}

function tooManyParts(name: string, repository: string, digest: string): McprtError {
  return new McprtError('registry-refused', {
    what: `${name} has an index of more than ${mostParts} images`,
    why: `${repository}@${digest}`,
    next: 'push an index with the platforms of the nodes only',
  });
}
