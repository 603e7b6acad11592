import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type ForwardProxy, startForwardProxy } from '../../shared/testing/forward-proxy.js';
import type { Inputs } from '../world/actions.js';
import type { World } from '../world/world.js';
import { secureGithub } from './secure-github.js';
import { makeWitness, type Witness } from './witness.js';

/** Who the proxy knows, and nobody else: no name of these is in any DNS. */
export const apiHost = 'api.example.com';
const githubHost = 'services.github.test';
/** What the proxy asks for; a percent sign and a slash are what breaks by halves. */
const user = { name: 'runner', password: 'pr0xy/pass%word-of-the-proof' } as const;

/** A proxy as the only way out of a runner, and what goes through it. */
export interface WayOut {
  proxy: ForwardProxy;
  /** The password in its address, as it is written there and as it is meant. */
  passwords: string[];
  witness: Witness;
  /** Path of a kubeconfig whose API server has a name that only the proxy knows. */
  kubeconfig: string;
  api: string;
  github: string;
  /** The proxy's own address, and that with another user. */
  address: string;
  /** For a step: that of GitHub, with the proxy, and a CA of its own. */
  env: Inputs;
  /** Refuses a name with a status from now on; undefined lets it through again. */
  refuse(to: string, status: number | undefined): void;
  /** Names that the proxy was asked for since it was last looked at, as `HOST:PORT`. */
  asked(): string[];
  close(): Promise<void>;
}

/** Opens it for a world that has a front. @param others more servers of this machine, as `HOST:PORT`, whose names the proxy knows */
export async function openWayOut(world: World<'front' | 'github'>, others: readonly string[] = []): Promise<WayOut> {
  const { front, domain, folder, github } = world;
  const text = await readFile(world.kubeconfig, 'utf8');
  const config = parse(text) as { clusters: { cluster: Record<string, string> }[] };
  const [first] = config.clusters;
  if (first === undefined) throw new Error('the kubeconfig names no cluster');
  const apiPort = Number(new URL(first.cluster.server ?? '').port);
  first.cluster = { ...first.cluster, server: `https://${apiHost}:${apiPort}`, 'tls-server-name': 'kubernetes' };
  const kubeconfig = join(folder, 'behind-the-proxy.kubeconfig');
  await writeFile(kubeconfig, stringify(config), { mode: 0o600 });
  const origin = github.env.GITHUB_API_URL ?? '';
  const secure = await secureGithub(origin, githubHost);
  const authority = join(folder, 'github-ca.pem');
  await writeFile(authority, secure.ca);
  const leads = new Map<string, number>([
    [`${apiHost}:${apiPort}`, apiPort],
    [`${githubHost}:443`, secure.port],
    ...['registry', 'mcp', 'platform'].flatMap((name): [string, number][] => [
      [`${name}.${domain}:80`, front.httpPort],
      [`${name}.${domain}:443`, front.httpsPort],
    ]),
    ...others.map((other): [string, number] => [other, Number(other.split(':')[1])]),
  ]);
  const refused = new Map<string, number>();
  const proxy = await startForwardProxy({
    user: `${user.name}:${user.password}`,
    leadsTo: (to) => {
      const status = refused.get(to);
      return status === undefined ? (leads.get(to) ?? { status: 403 }) : { status };
    },
  });
  const address = `http://${user.name}:${encodeURIComponent(user.password)}@${proxy.url}`;
  const own = [apiHost, ...others.map((other) => other.replace(/:.*/, ''))];
  const witness = await makeWitness(folder, Object.fromEntries(own.map((name) => [name, '127.0.0.1'])));
  const moved = Object.entries(github.env).map(([name, value]) => [
    name,
    value.replace(origin, `https://${githubHost}`),
  ]);
  return {
    proxy,
    passwords: [user.password, encodeURIComponent(user.password)],
    witness,
    kubeconfig,
    api: `${apiHost}:${apiPort}`,
    github: `${githubHost}:443`,
    address,
    env: {
      ...Object.fromEntries(moved),
      ...witness.env,
      NODE_EXTRA_CA_CERTS: authority,
      HTTPS_PROXY: address,
      http_proxy: `${address}/`,
    },
    refuse(to, status) {
      if (status === undefined) refused.delete(to);
      else refused.set(to, status);
    },
    asked: () => [...new Set(proxy.asked.splice(0).map(({ to }) => to))].sort(),
    async close() {
      await proxy.close();
      await secure.close();
    },
  };
}
