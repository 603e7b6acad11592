import { kinds } from '../../shared/cluster/objects.js';
import type { Topic } from './case.js';
import { freezeCertManager } from './freeze.js';
import { hosts, refs } from './names.js';
import { otherTlsServer } from './servers.js';

/** The certificates that a client is shown. */
export const serving: Topic = {
  topic: 'serving',
  cases: [
    {
      name: 'Traefik serves its default certificate',
      code: 'tls-default-certificate',
      evidence: /TRAEFIK DEFAULT CERT.*\n.*Secret mcp-sentinel\/mcp-sentinel-platform-tls is not there/,
      standIn: 'a controller that hangs: its process is stopped',
      make: async (site) => {
        await freezeCertManager(site);
        await site.cluster.delete(kinds.secret, refs.platformTls);
      },
    },
    {
      name: 'another certificate is served than the cluster has',
      code: 'tls-other-certificate',
      evidence: /served: serial 1[0-9a-f]+ of CN=platform\.example\.com/,
      bundle: true,
      small: true,
      make: async (site) =>
        site.lookWith({ resolve: [`${hosts.platform}:443=${await otherTlsServer(site, hosts.platform)}`] }),
    },
    {
      name: 'clients do not know the CA',
      code: 'tls-untrusted',
      evidence: /(?:unable to|UNABLE_TO)|self.signed/i,
      remedy: /ca-bundle/,
      bundle: true,
      make: async (site) => site.lookWith({ caBundle: '' }),
    },
  ],
};
