import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { certManagerObjects } from '../../lab/platform/cert-manager.js';
import { makeBinary, makeCheckout } from '../../lab/platform/checkout.js';
import type { Base, WorldOptions } from './base.js';
import type { Made } from './part.js';

const settingsOf = ({ pushMilliseconds = 50 }: WorldOptions) => ({
  pollMilliseconds: 100,
  pushMilliseconds,
  floors: { certificate: 30, internalCertificate: 30 },
});

/** A checkout of the platform's source, from which Go builds the stand-in installer. */
export async function makeSource({ folder, installation, domain }: Base, options: WorldOptions): Promise<Made<string>> {
  const source = join(folder, 'platform');
  await makeCheckout(source, { installation, settings: settingsOf(options), domain });
  return { part: source, inputs: { setup: { source }, rollout: { source } } };
}

/** The stand-in installer, ready to run, and cert-manager's manifest for it. */
export async function makeInstaller({ folder, installation }: Base, options: WorldOptions): Promise<Made<string>> {
  const [binary, manifest] = [join(folder, 'bin', 'mcp-runtime'), join(folder, 'cert-manager.yaml')];
  await makeBinary(binary, { installation, settings: settingsOf(options) });
  const objects = await certManagerObjects(installation.crds);
  await writeFile(manifest, objects.map((object) => stringify(object)).join('---\n'));
  return { part: binary, inputs: { setup: { binary, 'cert-manager-manifest': manifest } } };
}
