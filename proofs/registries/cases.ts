import type { FoundImage } from '../../shared/images/registry.js';
import { entry, putImage, putIndex, types } from './images.js';
import { basic, credentials, digestOf, give, hosts, refuse, type StandIn } from './stand-in.js';

/** A way in which registries behave, and what is to come of an image that is read there. */
export interface Behaviour {
  name: string;
  /** Puts the image in, and has the registry behave. @returns what is to be found; a code where it is refused */
  make(standIn: StandIn): Promise<Partial<FoundImage> | string | undefined>;
  /** What is read: the tag `latest` when left out. */
  reference?(standIn: StandIn): string;
  /** What has to be seen of the requests besides. */
  seen?(standIn: StandIn, message: string): boolean;
}

const { ociIndex, ociManifest, dockerList, dockerManifest } = types;
const tag = 'latest';
const amd64 = { platforms: ['linux/amd64'], labels: { made: 'amd64' } };

/** Puts one image under the tag. */
async function single(standIn: StandIn, mediaType: string = ociManifest): Promise<Partial<FoundImage>> {
  return { digest: await putImage(standIn.put, 'amd64', mediaType, tag), children: [], ...amd64 };
}

/** Puts an image for two processors, and more, under the tag. */
async function multi(standIn: StandIn, type: string, more: readonly object[] = []): Promise<Partial<FoundImage>> {
  const of = type === ociIndex ? ociManifest : dockerManifest;
  const [first, second] = [await putImage(standIn.put, 'amd64', of), await putImage(standIn.put, 'arm64', of)];
  const parts = [entry(first, 'linux/amd64', of), entry(second, 'linux/arm64', of), ...more];
  const digest = await putIndex(standIn.put, type, parts, tag);
  const others = more.map((one) => (one as { digest: string }).digest);
  return {
    digest,
    children: [first, second, ...others],
    platforms: ['linux/amd64', 'linux/arm64'],
    labels: { made: 'amd64' },
  };
}

/** Fails the first requests for a manifest. */
function failing(
  name: string,
  times: number,
  status: number,
  headers: () => Record<string, string> = () => ({}),
  seen?: Behaviour['seen'],
): Behaviour {
  return {
    name,
    ...(seen === undefined ? {} : { seen }),
    async make(standIn) {
      let left = times;
      standIn.instead = (_, response) => {
        left -= 1;
        if (left < 0) return false;
        refuse(response, status, 'TOOMANYREQUESTS', headers());
        return true;
      };
      return single(standIn);
    },
  };
}

/** A registry that takes tokens only. */
function withTokens(
  standIn: StandIn,
  {
    realm = hosts.tokens,
    uses = Number.POSITIVE_INFINITY,
    reply = (token: string): object => ({ token }),
  }: Tokens = {},
): void {
  const state = { count: 0, left: 0 };
  standIn.instead = (asked, response) => {
    if (asked.host === realm) {
      state.count += 1;
      state.left = uses;
      response.writeHead(200).end(JSON.stringify(reply(`token-${state.count}`)));
      return true;
    }
    state.left -= 1;
    if (asked.authorization === `Bearer token-${state.count}` && state.left >= 0) {
      give(standIn, asked, response);
      return true;
    }
    const challenge = `Bearer realm="https://${realm}/token",service="${hosts.registry}",scope="repository:app:pull"`;
    refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
    return true;
  };
}

interface Tokens {
  realm?: string;
  /** How many requests a token is good for. */
  uses?: number;
  reply?: (token: string) => object;
}

const tokenRequests = ({ asked }: StandIn) => asked.filter(({ path }) => path.startsWith('/token'));
const atStore = ({ asked }: StandIn) => asked.filter(({ host }) => host === hosts.store);

/** Sends for blobs to a store, which takes a signature and no password. */
function withStore(standIn: StandIn, status: number, isGiven = true): void {
  standIn.instead = (asked, response) => {
    if (asked.host === hosts.store) {
      if (asked.authorization !== '' || !isGiven) refuse(response, 403, 'SIGNATURE_MISMATCH');
      else give(standIn, { ...asked, path: asked.path.replace('/bucket', '') }, response);
      return true;
    }
    if (!asked.path.includes('/blobs/') || asked.authorization !== basic) return false;
    response.writeHead(status, { location: `https://${hosts.store}/bucket${asked.path}?signature=s3cr3t` }).end();
    return true;
  };
}

export const behaviours: readonly Behaviour[] = [
  { name: 'an OCI image behind a password', make: (standIn) => single(standIn) },
  { name: 'an image of Docker’s media types', make: (standIn) => single(standIn, dockerManifest) },
  { name: 'an OCI index', make: (standIn) => multi(standIn, ociIndex) },
  { name: 'a manifest list of Docker', make: (standIn) => multi(standIn, dockerList) },
  {
    name: 'attestations, of the platform unknown/unknown',
    make: async (standIn) => {
      const attestation = await putImage(standIn.put, 'unknown', ociManifest);
      return multi(standIn, ociIndex, [entry(attestation, 'unknown/unknown')]);
    },
  },
  {
    name: 'attestations that are only marked as such',
    make: async (standIn) => {
      const attestation = await putImage(standIn.put, 'amd64', ociManifest);
      const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
      const other = await putImage(standIn.put, 'arm64', ociManifest);
      const digest = await putIndex(
        standIn.put,
        ociIndex,
        [{ ...entry(attestation, ''), annotations }, entry(other, 'linux/arm64')],
        tag,
      );
      return { digest, children: [attestation, other], platforms: ['linux/arm64'], labels: { made: 'arm64' } };
    },
  },
  {
    name: 'an index in an index',
    make: async (standIn) => {
      const [first, second] = [
        await putImage(standIn.put, 'amd64', ociManifest),
        await putImage(standIn.put, 'arm64', ociManifest),
      ];
      const inner = await putIndex(standIn.put, ociIndex, [entry(second, 'linux/arm64')]);
      const digest = await putIndex(
        standIn.put,
        ociIndex,
        [entry(first, 'linux/amd64'), entry(inner, '', ociIndex)],
        tag,
      );
      return {
        digest,
        children: [first, inner, second],
        platforms: ['linux/amd64', 'linux/arm64'],
        labels: { made: 'amd64' },
      };
    },
  },
  {
    name: 'an index that tells no platforms',
    make: async (standIn) => {
      const only = await putImage(standIn.put, 'amd64', ociManifest);
      const digest = await putIndex(standIn.put, ociIndex, [entry(only, '')], tag);
      return { digest, children: [only], ...amd64 };
    },
  },
  ...[307, 302, 303].map(
    (status): Behaviour => ({
      name: `${status} to a blob store, which sees no password`,
      make: async (standIn) => {
        withStore(standIn, status);
        return single(standIn);
      },
      seen: (standIn) =>
        atStore(standIn).length > 0 && atStore(standIn).every(({ authorization }) => authorization === ''),
    }),
  ),
  {
    name: 'a blob store that refuses, whose signature is told nobody',
    make: async (standIn) => {
      withStore(standIn, 307, false);
      await single(standIn);
      return 'registry-unauthorized';
    },
    seen: (_, message) => !message.includes('s3cr3t'),
  },
  {
    name: '308 to another path of its own, with the password',
    make: async (standIn) => {
      standIn.instead = ({ path }, response) => {
        if (!path.startsWith('/v2/app/')) return false;
        response.writeHead(308, { location: path.replace('/v2/app/', '/v2/moved/') }).end();
        return true;
      };
      const found = await single(standIn);
      for (const [name, bytes] of [...standIn.content]) standIn.content.set(name.replace('app/', 'moved/'), bytes);
      return found;
    },
  },
  {
    name: 'redirects in a circle',
    make: async (standIn) => {
      standIn.instead = ({ path }, response) => response.writeHead(307, { location: path }).end() !== undefined;
      return 'registry-refused';
    },
  },
  {
    name: 'a redirect to plain HTTP',
    make: async (standIn) => {
      standIn.instead = ({ path }, response) =>
        response.writeHead(307, { location: `http://${hosts.store}${path}` }).end() !== undefined;
      return 'registry-elsewhere';
    },
  },
  {
    name: 'a token, which is asked for with the password',
    make: async (standIn) => {
      withTokens(standIn);
      return single(standIn);
    },
    seen: (standIn) => {
      const [first, ...more] = tokenRequests(standIn);
      const wanted = new URLSearchParams({ service: hosts.registry, scope: 'repository:app:pull' });
      return more.length === 0 && first?.authorization === basic && first.path === `/token?${wanted}`;
    },
  },
  {
    name: 'a token by its other name',
    make: async (standIn) => {
      withTokens(standIn, { reply: (token) => ({ access_token: token, expires_in: 300 }) });
      return single(standIn);
    },
  },
  {
    name: 'a token that has ended by the second request',
    make: async (standIn) => {
      withTokens(standIn, { uses: 1 });
      return single(standIn);
    },
    seen: (standIn) => tokenRequests(standIn).length === 2,
  },
  {
    name: 'a token of somebody else, who does not see the password',
    make: async (standIn) => {
      withTokens(standIn, { realm: hosts.foreignTokens });
      return single(standIn);
    },
    seen: (standIn) => tokenRequests(standIn).every(({ authorization }) => authorization === ''),
  },
  {
    name: 'no token for this password',
    make: async (standIn) => {
      withTokens(standIn);
      const { instead } = standIn;
      standIn.instead = (asked, response) => {
        if (asked.host !== hosts.tokens) return instead(asked, response);
        refuse(response, 401, 'UNAUTHORIZED');
        return true;
      };
      return 'registry-unauthorized';
    },
    seen: (_, message) => !message.includes(credentials.password),
  },
  {
    name: 'a password that is not taken',
    make: async (standIn) => {
      standIn.instead = (_, response) => {
        refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="r"' });
        return true;
      };
      return 'registry-unauthorized';
    },
  },
  {
    name: 'no Content-Type',
    make: async (standIn) => {
      standIn.headers = { 'content-type': undefined };
      return multi(standIn, ociIndex);
    },
  },
  {
    name: 'no Docker-Content-Digest',
    make: async (standIn) => {
      standIn.headers = { 'docker-content-digest': undefined };
      return single(standIn);
    },
  },
  {
    name: 'a wrong Docker-Content-Digest: what is computed counts',
    make: async (standIn) => {
      standIn.headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
      return single(standIn);
    },
  },
  {
    name: 'no HEAD',
    make: async (standIn) => {
      standIn.instead = ({ method }, response) => {
        if (method !== 'HEAD') return false;
        refuse(response, 405, 'UNSUPPORTED');
        return true;
      };
      return single(standIn);
    },
  },
  failing('429, with the seconds to wait', 1, 429, () => ({ 'retry-after': '1' })),
  failing('429, with a date to wait for', 1, 429, () => ({
    'retry-after': new Date(Date.now() + 1_500).toUTCString(),
  })),
  failing('503 three times', 3, 503),
  {
    ...failing('500 for ever', Number.POSITIVE_INFINITY, 500),
    make: async (standIn) => {
      standIn.instead = (_, response) => {
        refuse(response, 500, 'UNKNOWN');
        return true;
      };
      return 'registry-busy';
    },
    seen: ({ asked }) => asked.length === 5,
  },
  {
    name: 'an answer that breaks off, and is whole the second time',
    make: async (standIn) => {
      let isFirst = true;
      standIn.instead = (_, response) => {
        if (!isFirst) return false;
        isFirst = false;
        response.writeHead(200, { 'content-length': '1000' }).write('{');
        setTimeout(() => response.destroy(), 20);
        return true;
      };
      return single(standIn);
    },
  },
  {
    name: 'a manifest that is too large',
    make: async (standIn) => {
      standIn.put(Buffer.alloc(5 * 1024 * 1024, 32), tag);
      return 'registry-refused';
    },
  },
  {
    name: 'a manifest with another digest than was asked for',
    reference: (standIn) =>
      [...standIn.content.keys()].find((name) => name.includes('sha256:'))?.replace('app/', '') ?? '',
    make: async (standIn) => {
      const digest = standIn.put({ schemaVersion: 2 });
      standIn.content.set(`app/${digest}`, Buffer.from('{"schemaVersion":2,"mediaType":"x"}'));
      return 'registry-digest';
    },
  },
  {
    name: 'a configuration with another digest',
    make: async (standIn) => {
      await single(standIn);
      const config = [...standIn.content].find(([, bytes]) => bytes.includes('"os":"linux"'))?.[0] ?? '';
      standIn.content.set(config, Buffer.from('{"os":"linux","architecture":"arm64"}'));
      return 'registry-digest';
    },
  },
  {
    name: 'the page of a login, with status 200',
    make: async (standIn) => {
      standIn.instead = (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html><form>Sign in</form></html>');
        return true;
      };
      return 'registry-refused';
    },
  },
  {
    name: 'a tag that moves while it is read',
    make: async (standIn) => {
      const found = await single(standIn);
      const other = await putImage(standIn.put, 'arm64', ociManifest);
      standIn.instead = ({ path }) => {
        // Right after the first look at it, it is another image.
        if (path.endsWith(`/manifests/${tag}`)) {
          const bytes = standIn.content.get(`app/${other}`);
          setImmediate(() => bytes && standIn.content.set(`app/${tag}`, bytes));
        }
        return false;
      };
      return found;
    },
  },
  {
    name: 'a manifest of the first schema',
    make: async (standIn) => {
      standIn.put({ schemaVersion: 1, name: 'app', tag, fsLayers: [] }, tag);
      return 'registry-refused';
    },
  },
  {
    name: 'an index of more images than there are platforms',
    make: async (standIn) => {
      const parts = Array.from({ length: 201 }, (_, index) =>
        entry(digestOf(Buffer.from(String(index))), 'linux/amd64'),
      );
      await putIndex(standIn.put, ociIndex, parts, tag);
      return 'registry-refused';
    },
  },
  { name: 'no such image', make: async () => undefined },
];
