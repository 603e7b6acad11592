import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { namespaces } from '../names.js';
import { namespaceOf } from '../resources.js';
import { CliError } from './errors.js';
import type { Run } from './run.js';

const crdFolder = 'config/crd/bases';
const firstCrd = 'mcpruntime.org_mcpservers.yaml';

/** Installs the first CRD from the checkout, makes namespaces; installs no ingress controller. */
export async function clusterStep(run: Run): Promise<void> {
  const { console, client, options, folder } = run;
  try {
    await client.merge(kinds.crd, ...(await readCrds(folder, (file) => file === firstCrd)));
  } catch (error) {
    // The installer runs kubectl here, which says on stderr what went wrong; its own error is the exit status alone.
    console.stderr(`error: ${messageOf(error)}`);
    throw new CliError('failed to install CRD: exit status 1');
  }
  await client.merge(
    kinds.namespace,
    namespaceOf(namespaces.runtime, 'restricted'),
    namespaceOf(namespaces.servers, 'restricted'),
  );
  console.section('Step 2: Configure cluster');
  if (options.ingress === 'none') {
    console.info('Skipping ingress installation');
  } else if ((await traefikNamespaces(run)).length > 0) {
    console.info('External Traefik found; skipping ingress installation');
  } else {
    throw new CliError('the stand-in of mcp-runtime installs no ingress controller; use --ingress none');
  }
}

/** The CRDs of the checkout. The two that come with the operator are read by a later step. */
export async function readCrds(folder: string, wanted: (file: string) => boolean = () => true): Promise<KubeObject[]> {
  const base = join(folder, crdFolder);
  const files = (await readdir(base)).filter((file) => file.endsWith('.yaml') && wanted(file)).sort();
  if (files.length === 0) throw new CliError(`the path "${crdFolder}/${firstCrd}" does not exist`);
  const texts = await Promise.all(files.map((file) => readFile(join(base, file), 'utf8')));
  return texts.flatMap((text) => parseAllDocuments(text).map((document): KubeObject => document.toJS()));
}

/** Namespaces that have a Deployment named traefik. */
export async function traefikNamespaces({ client }: Run): Promise<string[]> {
  const { items } = await client.cluster.list(kinds.deployment);
  return items.flatMap(({ metadata }) => (metadata.name === 'traefik' ? [metadata.namespace ?? ''] : []));
}
