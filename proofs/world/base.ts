import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabState, openLab } from '../../lab/driver/lab.js';
import { difference, type Reading, readMeter } from '../../lab/driver/meter.js';
import type { GithubOptions } from '../../lab/github/github.js';
import type { Installation, Layout } from '../../lab/platform/names.js';
import { makeKeys } from '../../shared/backup/keys.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import type { ProofContext } from '../support/proof.js';
import { type Actions, actionsOf, type Given, type Surroundings } from './actions.js';
import { appNamespaces, installAll, loseNeighbours, wipeNamespaces } from './installation.js';

/** What every world has: a cluster, keys, and the shipped actions to run on it. */
export interface Base extends Surroundings, Actions {
  context: ProofContext;
  state: LabState;
  cluster: Cluster;
  layout: Layout;
  installation: Installation;
  /** Installs the platform as its installer does, with what people have beside it; ends when every certificate is there. */
  install(): Promise<void>;
  /** Loses namespaces, those of the platform's applications unless it is said otherwise, and what is beside it. */
  wipe(namespaces?: readonly string[]): Promise<void>;
  meter(): Promise<Reading>;
  /** Does something, and counts what the ACME server was asked for meanwhile. */
  counting<T>(work: () => Promise<T>): Promise<Counted & { result: T }>;
}

export type Counted = ReturnType<typeof difference>;

/** What a proof wants otherwise. */
export interface WorldOptions {
  layout?: Layout;
  /** A folder of its own; the proof's when left out. */
  folder?: string;
  /** How long a token of the platform's API lives, in s. */
  tokenSeconds?: number;
  /** How long the stand-in installer takes for each of its pushes, in ms. */
  pushMilliseconds?: number;
  github?: GithubOptions;
  /** Whether the real Traefik stands at the front, for which it takes root. */
  traefik?: boolean;
  /** Whether the API server is as before Kubernetes 1.30. */
  before130?: boolean;
  /** With 2, cert-manager has an API server of its own. */
  apiServers?: 1 | 2;
}

/** Stands in a profile that the runner has checked out or written, and nowhere else. */
export const profilePassword = 'f4b1c07de2a94c3381d6a95e0c7b2d18';

/** Brings a lab up and makes keys and a profile. @param given what the parts of the world have for the actions, by then */
export async function makeBase(context: ProofContext, options: WorldOptions, given: Given): Promise<Base> {
  const { layout = 'split', folder = context.folder, before130 = false, apiServers = 1 } = options;
  const domain = 'example.com';
  const state = await context.lab({ before130, apiServers });
  const [cluster, keys, root] = await Promise.all([
    openLab(state),
    makeKeys('hybrid'),
    fetch(`${state.acme.control}/root`).then((answer) => answer.text()),
    mkdir(folder, { recursive: true }),
  ]);
  const profile = join(folder, 'profile.env');
  await writeFile(profile, profileText(domain));
  const installation: Installation = { domain, layout, acme: state.acme, crds: state.program.crds };
  const { kubeconfig } = state;
  const surroundings: Surroundings = {
    folder,
    kubeconfig,
    domain,
    keys,
    backups: join(folder, 'backups'),
    profile,
    root,
  };
  const meter = (): Promise<Reading> => readMeter(state.acme.control);
  return {
    ...surroundings,
    ...actionsOf(surroundings, given),
    context,
    state,
    cluster,
    layout,
    installation,
    meter,
    install: () => installAll(cluster, installation),
    async wipe(namespaces = appNamespaces) {
      await loseNeighbours(cluster);
      await wipeNamespaces(cluster, namespaces);
    },
    async counting(work) {
      const before = await meter();
      const result = await work();
      return { result, ...difference(before, await meter()) };
    },
  };
}

function profileText(domain: string): string {
  return [
    `export MCP_PLATFORM_DOMAIN=${domain}`,
    'export MCP_IMAGE_PLATFORM=linux/amd64',
    `export MCP_PLATFORM_ADMIN_EMAIL=admin@${domain}`,
    `export MCP_PLATFORM_ADMIN_PASSWORD=${profilePassword}`,
    `export MCP_REGISTRY_ENDPOINT=registry.${domain}`,
    'export PLATFORM_TEAM_TRAEFIK_WATCH=disabled',
    '',
  ].join('\n');
}
