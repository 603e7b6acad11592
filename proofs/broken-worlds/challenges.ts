import { type ChallengeFault, clearChallengeFaults, setChallengeFault } from '../../lab/driver/faults.js';
import type { FindingCode } from '../../shared/checks/catalog.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { BrokenCase, Topic } from './case.js';
import type { Glance } from './glance.js';
import { hosts, refs } from './names.js';
import { otherWebServer } from './servers.js';
import type { Site } from './site.js';

/** Issuances that wait, because the CA's question to a public name would get no answer, or a wrong one. */
export const challenges: Topic = {
  topic: 'challenges',
  cases: [
    {
      ...waiting('no DNS record', { fault: 'nxdomain' }),
      code: 'challenge-dns',
      evidence: /Challenge mcp-sentinel\/.*no such host/,
      remedy: /dig \+short platform\.example\.com/,
      follows: ['certificate-not-ready'],
      bundle: true,
    },
    {
      ...waiting('no DNS record, and the runner sees it too', { fault: 'nxdomain' }, { dns: true }),
      code: 'dns-missing',
      evidence: /DNS of platform\.example\.com/,
      follows: ['challenge-dns', 'certificate-not-ready'],
    },
    {
      ...waiting('nothing listens on port 80', { fault: 'refused' }),
      code: 'challenge-port-80',
      evidence: /connection refused/,
      remedy: /must answer "404 page not found"/,
      small: true,
    },
    {
      ...waiting('the name has an address that nothing routes to', { fault: 'elsewhere', address: '192.0.2.1' }),
      code: 'challenge-port-80',
      evidence: /192\.0\.2\.1:80/,
    },
    {
      ...waiting('another server answers', { fault: 'not-found' }),
      code: 'challenge-wrong-answer',
      evidence: /wrong status code '404'/,
    },
    {
      ...waiting('the question is sent elsewhere', {
        fault: 'redirect',
        location: 'http://127.0.0.3/.well-known/parked',
      }),
      code: 'challenge-redirect',
      evidence: /127\.0\.0\.3/,
      remedy: /acme-challenge/,
    },
    {
      name: 'a NetworkPolicy closes the solver’s port',
      code: 'challenge-network-policy',
      evidence: /504.*NetworkPolicy registry\/registry-default-deny selects every pod/s,
      remedy: /allow TCP 8089/,
      standIn: 'the lab enforces no policy: a web server says 504, as Traefik does when it cannot reach a pod',
      make: async (site) => {
        const server = await otherWebServer(site, (_request, response) => response.writeHead(504).end());
        await setFault(site, hosts.registry, { fault: 'redirect', location: `http://${server}/` });
        await site.cluster.delete(kinds.secret, refs.registryTls);
        site.lookWith({ dns: false });
      },
    },
  ],
};

type Waiting = Pick<BrokenCase, 'name' | 'make'> & { follows: readonly FindingCode[] };

/** The platform's Secret is lost, and its certificate cannot be issued again. */
function waiting(why: string, fault: ChallengeFault, glance: Glance = { dns: false }): Waiting {
  return {
    name: `a lost certificate cannot be issued again: ${why}`,
    follows: ['certificate-not-ready'],
    make: async (site) => {
      await setFault(site, hosts.platform, fault);
      await site.cluster.delete(kinds.secret, refs.platformTls);
      site.lookWith(glance);
    },
  };
}

/** Mended, the Challenges that wait are made anew: cert-manager asks again only every ten seconds. */
async function setFault({ cluster, state, mendWith }: Site, host: string, fault: ChallengeFault): Promise<void> {
  const { control } = state.challenges;
  mendWith(async () => {
    await clearChallengeFaults(control);
    const { items } = await cluster.list(kinds.challenge);
    await Promise.all(items.map(({ metadata }) => cluster.delete(kinds.challenge, metadata)));
  });
  await setChallengeFault(control, host, fault);
}
