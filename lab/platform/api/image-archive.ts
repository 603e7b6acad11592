import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import * as z from 'zod';

/** An image as `docker save` writes one. */
export interface ImageArchive {
  /** The image's config, byte for byte. */
  config: Buffer;
  /** Its layers, gzipped. */
  layers: Buffer[];
  tags: string[];
}

export interface ArchiveContent {
  tag: string;
  labels?: Readonly<Record<string, string>>;
  architecture?: string;
}

const manifestSchema = z
  .array(z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }))
  .length(1);
const configSchema = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

/** A small image in the form of `docker save`, unlike every other one. */
export async function makeImageArchive({ tag, labels = {}, architecture = 'amd64' }: ArchiveContent): Promise<Buffer> {
  const layer = await tarOf([['app/server', randomBytes(512)]]);
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: { Labels: labels, Entrypoint: ['/app/server'], User: '65532' },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const blob = (bytes: Buffer): string => `blobs/sha256/${digestOf(bytes).slice('sha256:'.length)}`;
  const manifest = [{ Config: blob(config), RepoTags: [tag], Layers: [blob(layer)] }];
  return tarOf([
    [blob(config), config],
    [blob(layer), layer],
    ['manifest.json', Buffer.from(JSON.stringify(manifest))],
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
  ]);
}

/**
 * Reads what `docker save` wrote, in its old form and in the one that is an OCI layout as well; both have a
 * `manifest.json`. As skopeo does, it compares each layer with the config.
 *
 * @throws Error saying what is wrong with it
 */
export async function readImageArchive(bytes: Buffer): Promise<ImageArchive> {
  const files = await filesOf(bytes);
  const read = (name: string): Buffer => {
    const found = files.get(name);
    if (found === undefined) throw new Error(`the archive has no ${name}`);
    return found;
  };
  const [manifest] = manifestSchema.parse(JSON.parse(read('manifest.json').toString('utf8')));
  if (manifest === undefined) throw new Error('the archive has no image');
  const config = read(manifest.Config);
  const { diff_ids } = configSchema.parse(JSON.parse(config.toString('utf8'))).rootfs;
  if (diff_ids.length !== manifest.Layers.length) throw new Error('the config has other layers than the manifest');
  const layers = manifest.Layers.map((name, index) => {
    const layer = read(name);
    const isZipped = layer[0] === 0x1f && layer[1] === 0x8b;
    if (digestOf(isZipped ? gunzipSync(layer) : layer) !== diff_ids[index]) {
      throw new Error(`layer ${name} is not the one that the config names`);
    }
    return isZipped ? layer : gzipSync(layer);
  });
  return { config, layers, tags: manifest.RepoTags ?? [] };
}

async function filesOf(bytes: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const links: [string, string][] = [];
  const reading = extract();
  Readable.from([bytes])
    .on('error', (error) => reading.destroy(error))
    .pipe(reading);
  for await (const entry of reading) {
    const { name, type, linkname } = entry.header;
    if (type === 'file') files.set(name, await buffer(entry));
    else entry.resume();
    // The old form has a layer that occurs twice as a link to the first.
    if (type === 'symlink' && linkname) links.push([name, new URL(linkname, `file:///${name}`).pathname.slice(1)]);
  }
  for (const [name, target] of links) {
    const found = files.get(target);
    if (found !== undefined) files.set(name, found);
  }
  return files;
}

async function tarOf(files: readonly [string, Buffer][]): Promise<Buffer> {
  const writing = pack();
  for (const [name, content] of files) writing.entry({ name }, content);
  writing.finalize();
  return buffer(writing);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
