import { clearChallengeFaults, setChallengeFault } from '../../lab/driver/faults.js';
import type { Topic } from './case.js';
import { hosts } from './names.js';
import { closedPort, otherWebServer } from './servers.js';
import type { Site } from './site.js';

/** A loopback address that the cluster does not know and nothing listens on. */
const elsewhere = '127.0.0.3';

/** The way from outside: DNS, port 80, port 443. */
export const reachable: Topic = {
  topic: 'from outside',
  cases: [
    {
      name: 'a name without a DNS record',
      code: 'dns-missing',
      evidence: /DNS of registry\.example\.com: .*ENOTFOUND/,
      remedy: /dig \+short registry\.example\.com/,
      bundle: true,
      small: true,
      make: (site) => fault(site, { fault: 'nxdomain' }),
    },
    {
      name: 'a name that points at another machine',
      code: 'dns-elsewhere',
      evidence: /registry\.example\.com is 127\.0\.0\.3\n.*this cluster: .*127\.0\.0\.1/s,
      remedy: /correct the DNS record/,
      follows: ['port-80-closed'],
      make: async (site) => {
        await fault(site, { fault: 'elsewhere', address: elsewhere });
        site.lookWith({ unresolved: [hosts.registry] });
      },
    },
    {
      name: 'a name behind an address translation',
      code: 'dns-elsewhere',
      severity: 'notice',
      evidence: /registry\.example\.com is 127\.0\.0\.3/,
      make: (site) => fault(site, { fault: 'elsewhere', address: elsewhere }),
    },
    {
      name: 'port 80 is closed for every name',
      code: 'port-80-closed',
      evidence: /port 80 of registry\.example\.com: .*ECONNREFUSED/,
      remedy: /curl -sm5 http:\/\/registry\.example\.com\//,
      bundle: true,
      small: true,
      make: async (site) => {
        const closed = await closedPort();
        site.lookWith({ resolve: Object.values(hosts).map((host) => `${host}:80=${closed}`) });
      },
    },
    {
      name: 'another web server answers on port 80',
      code: 'port-80-foreign',
      evidence: /mcp\.example\.com: 200 from nginx: Welcome to nginx!/,
      make: async (site) => {
        const server = await otherWebServer(site, (_request, response) =>
          response.writeHead(200, { server: 'nginx' }).end('Welcome to nginx!'),
        );
        site.lookWith({ resolve: [`${hosts.mcp}:80=${server}`] });
      },
    },
    {
      name: 'a proxy on port 80 sends to another name',
      code: 'port-80-foreign',
      evidence: /registry\.example\.com: 301 .*to https:\/\/registry\.example\.com\.parked\.example\.net\//,
      make: async (site) => {
        const server = await otherWebServer(site, (_request, response) =>
          response.writeHead(301, { location: `https://${hosts.registry}.parked.example.net/` }).end(),
        );
        site.lookWith({ resolve: [`${hosts.registry}:80=${server}`] });
      },
    },
    {
      name: 'port 443 is closed',
      code: 'port-443-closed',
      evidence: /port 443 of platform\.example\.com: .*ECONNREFUSED/,
      make: async (site) => site.lookWith({ resolve: [`${hosts.platform}:443=${await closedPort()}`] }),
    },
  ],
};

async function fault({ state, mendWith }: Site, what: Parameters<typeof setChallengeFault>[2]): Promise<void> {
  const { control } = state.challenges;
  mendWith(() => clearChallengeFaults(control));
  await setChallengeFault(control, hosts.registry, what);
}
