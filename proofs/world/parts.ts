import type { Registry } from '../../lab/driver/registry.js';
import { type Github, startGithub } from '../../lab/github/github.js';
import { type Gateway, startGateway } from '../../lab/platform/gateway/gateway.js';
import { installK3s } from '../../lab/platform/k3s.js';
import { type Api, makeApi } from './api.js';
import type { Base, WorldOptions } from './base.js';
import { makeFront, type PublicFront } from './front.js';
import { type Gate, openGate } from './gate.js';
import { makeNodes, type Nodes } from './kubelet.js';
import { type Made, needed } from './part.js';
import { makeRegistry } from './registry.js';
import { makeServers, type Servers } from './servers.js';
import { makeServices, type Services } from './services.js';
import { makeInstaller, makeSource } from './source.js';

/** What a world can be made of. */
export interface Parts {
  /** A proxy before the API server, at which writes are counted and stopped. */
  gate: Gate;
  /** GitHub's services, as a job of repository acme/platform sees them unless it is said otherwise. */
  github: Github;
  /** What k3s has in a fresh cluster. */
  k3s: undefined;
  /** The platform and what people have beside it, installed. */
  platform: undefined;
  registry: Registry;
  api: Api;
  kubelet: Nodes;
  services: Services;
  /** What serves the servers of everybody. */
  gateway: Gateway;
  /** Traefik, with the ways to its public names. */
  front: PublicFront;
  /** Folder of the platform's source. */
  source: string;
  /** Path of the platform's installer. */
  installer: string;
  servers: Servers;
}

export type PartName = keyof Parts;

/** What makes a platform that servers can be published on and used. */
export const platformInUse = ['front', 'api', 'gateway', 'kubelet', 'registry', 'servers'] as const;
export type PlatformInUse = (typeof platformInUse)[number];

interface Maker<P extends PartName> {
  needs: readonly PartName[];
  make(base: Base, parts: Partial<Parts>, options: WorldOptions): Promise<Made<Parts[P]>>;
}

/** How each part is made, in the order in which they come to be. */
export const makers: { readonly [P in PartName]: Maker<P> } = {
  gate: {
    needs: [],
    async make({ state }) {
      const gate = await openGate(state);
      return { part: gate, close: gate.close };
    },
  },
  github: {
    needs: [],
    async make(_base, _parts, { github: own = { repository: { name: 'acme/platform', id: 42 } } }) {
      const github = await startGithub(own);
      return { part: github, close: () => github.close() };
    },
  },
  k3s: {
    needs: [],
    async make({ cluster }) {
      await installK3s(cluster);
      return { part: undefined };
    },
  },
  platform: {
    needs: [],
    async make({ install }) {
      await install();
      return { part: undefined };
    },
  },
  registry: { needs: ['platform'], make: makeRegistry },
  api: { needs: ['registry'], make: (base, { registry }, options) => makeApi(base, needed(registry), options) },
  kubelet: { needs: ['registry'], make: (base, { registry, api }) => makeNodes(base, needed(registry), api) },
  services: { needs: ['kubelet'], make: (base, { registry }) => makeServices(base, needed(registry)) },
  gateway: {
    needs: ['api', 'kubelet'],
    async make({ cluster, domain }, { api, kubelet }) {
      const { pods } = needed(kubelet);
      const gateway = await startGateway(cluster, { domain, pods, events: needed(api).events });
      return { part: gateway, close: gateway.close };
    },
  },
  front: {
    needs: ['k3s'],
    make: (base, { registry, api, gateway, kubelet }, options) =>
      makeFront(base, { registry, api, gateway, kubelet }, options),
  },
  source: { needs: [], make: (base, _parts, options) => makeSource(base, options) },
  installer: { needs: ['source'], make: (base, _parts, options) => makeInstaller(base, options) },
  servers: { needs: [], make: makeServers },
};
