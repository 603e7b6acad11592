import type { RequestOptions } from 'node:https';
import type { ChosenContext } from './kubeconfig.js';

/** What a program or an auth provider of a kubeconfig answers. */
export interface PluginAnswer {
  authorization?: string;
  cert?: string | Buffer;
  key?: string | Buffer;
}

/**
 * Asks the exec plugin or the auth provider of a user. It is loaded only where there is one: the library brings a second
 * reader of YAML, OpenID and SOCKS along.
 *
 * @throws whatever the program or the provider ends with
 */
export async function askPlugin({ cluster, user }: ChosenContext): Promise<PluginAnswer> {
  // The deep path keeps 30 MB of generated API classes out of the bundle; the package has no `exports` map.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  const { exec, 'auth-provider': provider } = user;
  config.loadFromString(
    JSON.stringify({
      clusters: [
        { name: 'one', cluster: Object.fromEntries(Object.entries(cluster).filter(([, value]) => value !== '')) },
      ],
      users: [{ name: 'one', user: { ...(exec && { exec }), ...(provider && { 'auth-provider': provider }) } }],
      contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
      'current-context': 'one',
    }),
  );
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const authorization = Object.entries(options.headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization');
  return {
    ...(authorization && { authorization: String(authorization[1]) }),
    ...bytesOf('cert', options.cert),
    ...bytesOf('key', options.key),
  };
}

function bytesOf<Name extends 'cert' | 'key'>(name: Name, value: unknown): { [key in Name]?: string | Buffer } {
  return typeof value === 'string' || Buffer.isBuffer(value)
    ? ({ [name]: value } as { [key in Name]: string | Buffer })
    : {};
}
