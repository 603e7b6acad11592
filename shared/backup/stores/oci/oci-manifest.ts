import * as z from 'zod';
import { parsedJson } from '../../../json.js';
import { limits } from '../../limits.js';
import { malformed } from '../../statement.js';

/** What a backup is in a registry, and what its parts are. Changing one hides every older backup. */
export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  artifact: 'application/vnd.mcprt.backup.v1',
  empty: 'application/vnd.oci.empty.v1+json',
  statement: 'application/vnd.mcprt.backup.statement.v1+json',
  payload: 'application/vnd.mcprt.backup.payload.v1+age',
} as const;

/** What stands in place of a configuration, as the specification has it for artifacts. */
export const emptyConfig = Buffer.from('{}');

export interface Descriptor {
  mediaType: string;
  digest: string;
  /** In bytes. */
  size: number;
}

export interface Layers<T> {
  /** The signed statement. */
  statement: T;
  /** The age file. */
  payload: T;
}

/** What `oras pull` calls the files. */
const titles: Layers<string> = { statement: 'statement.dsse.json', payload: 'payload.age' };

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const layerOf = <T extends string>(mediaType: T, most: number) =>
  z.looseObject({ mediaType: z.literal(mediaType), digest, size: z.int().min(1).max(most) });
const shape = z.looseObject({
  schemaVersion: z.literal(2),
  artifactType: z.literal(mediaTypes.artifact),
  layers: z.tuple([
    layerOf(mediaTypes.statement, limits.archiveBytes),
    layerOf(mediaTypes.payload, limits.archiveBytes),
  ]),
});

/** The manifest of a backup: the same parts give the same bytes, and so the same digest. */
export function manifestOf(config: Descriptor, { statement, payload }: Layers<Descriptor>): Buffer {
  const layer = (kind: keyof Layers<unknown>, { mediaType, digest, size }: Descriptor) => ({
    mediaType,
    digest,
    size,
    annotations: { 'org.opencontainers.image.title': titles[kind] },
  });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: mediaTypes.artifact,
      config,
      layers: [layer('statement', statement), layer('payload', payload)],
    }),
  );
}

/**
 * The parts that a manifest names.
 *
 * @throws McprtError `backup-malformed` for an image, an index, or an artifact of somebody else
 */
export function layersOf(manifest: Buffer): Layers<Descriptor> {
  const content = parsedJson(manifest.toString('utf8'));
  const parsed = shape.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(
      `the tag leads to something else than a backup of mcprt: ${issue ? `${issue.path.join('.')}: ${issue.message}`.slice(0, 160) : 'another form'}`,
    );
  }
  const [statement, payload] = parsed.data.layers;
  return { statement, payload };
}
