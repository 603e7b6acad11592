import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type StoreServers, startStoreServers } from '../../lab/driver/store-servers.js';
import { startGithub } from '../../lab/github/github.js';
import { parseOciAddress } from '../../shared/backup/stores/oci/oci-address.js';
import { ociStore } from '../../shared/backup/stores/oci/oci-store.js';
import { parseS3Address } from '../../shared/backup/stores/s3/s3-address.js';
import { type S3Calls, s3Calls } from '../../shared/backup/stores/s3/s3-call.js';
import { s3Store } from '../../shared/backup/stores/s3/s3-store.js';
import { generationOf, type Store } from '../../shared/backup/stores/store.js';
import { contract, type Place } from '../../shared/backup/testing/store-contract.js';
import { kinds } from '../../shared/cluster/objects.js';
import { toldBy } from '../../shared/errors.js';
import { webRoute } from '../../shared/images/route.js';
import { direct } from '../../shared/proxy.js';
import type { ProofContext } from '../support/proof.js';
import { certificateCount } from '../world/installation.js';
import type { World } from '../world/world.js';
import { makeSteps } from './steps.js';

const buckets = { plain: 'backups', locking: 'locked-backups' } as const;
const region = 'us-east-1';
const repository = { name: 'acme/platform', id: 44 };
const never = new AbortController().signal;
/** The API server's clock tells whole seconds (in ms). */
const aSecondLater = 1100;

export interface Real {
  runs: number;
  figures: { servers: string[]; clauses: number; backups: number };
}

/** A registry and an S3 server that others wrote: the contract on each, and the shipped action on both. */
export async function realServers(context: ProofContext, world: World): Promise<Real> {
  const folder = join(context.folder, 'store-servers');
  await mkdir(folder);
  const servers = await startStoreServers(folder, context);
  try {
    await makeBuckets(servers);
    const places = { distribution: ociPlace(servers), versitygw: s3Place(servers) };
    for (const [server, place] of Object.entries(places)) {
      for (const { promise, holds } of contract) {
        await holds(place).catch((error: unknown) => context.fail(`${server}: ${promise}: ${toldBy(error)}`));
      }
    }
    const runs = await story(context, world, servers);
    return { runs, figures: { servers: Object.keys(places), clauses: contract.length, backups: 5 } };
  } finally {
    await servers.close();
  }
}

/** The inputs of a step that uses both servers. */
export function inputsFor({ registry, s3, s3Credentials, ca }: StoreServers): Record<string, string> {
  return {
    stores: 'oci,s3',
    oci: `${registry}/Acme/backups`,
    s3: `${buckets.plain}/a b+c/ü`,
    's3-endpoint': s3,
    's3-credentials': s3Credentials,
    'ca-bundle': ca,
  };
}

/** Makes the buckets, one of them with Object Lock. */
export async function makeBuckets(servers: StoreServers): Promise<void> {
  const made = [
    await callsFor(servers, buckets.plain).ask({ method: 'PUT' }),
    await callsFor(servers, buckets.locking).ask({
      method: 'PUT',
      headers: { 'x-amz-bucket-object-lock-enabled': 'true' },
    }),
  ];
  for (const answer of made) if ('refused' in answer) throw new Error(`no bucket: ${answer.refused.code}`);
}

function callsFor({ s3, s3Credentials, ca }: StoreServers, place: string): S3Calls {
  const address = parseS3Address(place, s3);
  if (address === undefined) throw new Error(`${place} at ${s3} is no address`);
  const [accessKeyId = '', secretAccessKey = ''] = s3Credentials.split(':');
  const credentials = { accessKeyId, secretAccessKey, sessionToken: '' };
  return s3Calls({ address, credentials, region, caBundle: ca, proxies: direct, signal: never });
}

function s3Place(servers: StoreServers): Place {
  const place = `${buckets.plain}/contract/a b+c/ü`;
  const address = parseS3Address(place, servers.s3);
  if (address === undefined) throw new Error(`${place} is no address`);
  const now = (): Date => new Date();
  const open = (): Store => s3Store({ calls: callsFor(servers, place), address, keysFrom: 'input', lockDays: 0, now });
  return { domain: 'my-own.example.com', open };
}

function ociPlace({ registry, ca }: StoreServers): Place {
  const address = parseOciAddress(`${registry}/contract/backups`);
  if (address === undefined) throw new Error(`${registry} is no address`);
  const reach = { overrides: [], dnsServer: '', caBundle: ca, proxies: direct };
  const route = webRoute({ origin: address.origin, name: 'the registry' }, undefined, reach);
  const ports = { route, address, isGithub: false, hasCredentials: false, signal: never };
  return { domain: 'my-own.example.com', open: () => ociStore(ports) };
}

/** Backups by the shipped action, and what is left when GitHub's own stores are gone. */
async function story(context: ProofContext, world: World, servers: StoreServers): Promise<number> {
  const both = inputsFor(servers);
  const github = await startGithub({ repository, run: { permissions: { actions: 'write' } } });
  // The repository with all of its artifacts and caches was lost, and made anew under its name and number.
  const lost = await startGithub({ repository, run: { permissions: { actions: 'write' } } });
  const { step, runs } = makeSteps(world);
  // Another repository's proof has made backups of this cluster: here the first one is generation 1.
  await world.cluster.delete(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-anchor' });
  try {
    const every = { ...both, stores: 'cache,artifact,oci,s3' };
    const first = { generation: '1', stores: 'cache,artifact,oci,s3', certificates: String(certificateCount) };
    await step(github, 'backup', every, { outputs: first, says: ['as long as the registry keeps it', '@sha256:'] });
    await step(
      github,
      'verify',
      { ...every, stores: 'cache,artifact' },
      { says: ['go together', 'the GitHub repository acme/platform', '7 days'] },
    );
    await step(github, 'verify', every, {
      outputs: { stores: 'cache,artifact,oci,s3' },
      says: ['as long as the registry keeps it'],
    });
    const left = { outputs: { generation: '1', stores: 'oci,s3' }, says: ['cache does not hold generation 1'] };
    await step(lost, 'verify', every, left);
    for (const store of ['oci', 's3']) {
      const own = { ...both, stores: store };
      await step(lost, 'plan', own, { outputs: { generation: '1', stores: store, orders: '0' } });
      await step(lost, 'restore', own, { outputs: { generation: '1', stores: store, orders: '0' } });
      await step(lost, 'verify', own, { says: [`the only copy is in ${store}`] });
    }
    for (const generation of ['2', '3']) {
      await sleep(aSecondLater);
      const next = github.as({ id: github.run.id + Number(generation) });
      await step(next, 'backup', { ...both, keep: '2' }, { outputs: { generation, stores: 'oci,s3' } });
    }
    const listed = await step(lost, 'list', both, {});
    const generations = [...(listed.outputs.backups ?? '').matchAll(/"name":"([^"]+)"/g)].map(([, name = '']) =>
      generationOf(name),
    );
    context.expectSame('the generations that are kept', [...new Set(generations)].sort(), [2, 3]);
    await step(lost, 'restore', { ...both, generation: '2' }, { outputs: { generation: '2', orders: '0' } });
    await locked(github, { step }, { ...both, stores: 's3', s3: buckets.locking });
    await refusals(github, { step }, servers, both);
    return runs();
  } finally {
    await github.close();
    await lost.close();
  }
}

type Step = Pick<ReturnType<typeof makeSteps>, 'step'>;
type View = Awaited<ReturnType<typeof startGithub>>;

/** What is locked stays, and keeps nothing else from going. */
async function locked(github: View, { step }: Step, inputs: Record<string, string>): Promise<void> {
  const locking = { ...inputs, 's3-lock-days': '2', keep: '2' };
  for (const at of [10, 11, 12]) {
    await sleep(aSecondLater);
    const says = ['nobody can delete it before', ...(at === 12 ? ['left in s3, as it is locked'] : [])];
    await step(github.as({ id: github.run.id + at }), 'backup', locking, { outputs: { stores: 's3' }, says });
  }
  await step(github, 'verify', inputs, { says: ['by Object Lock', 'until 20'] });
}

/** What a user gets wrong, each told by its cause. */
async function refusals(
  github: View,
  { step }: Step,
  servers: StoreServers,
  both: Record<string, string>,
): Promise<void> {
  const s3 = { ...both, stores: 's3' };
  const wrong = (inputs: Record<string, string>, code: string, ...says: string[]) =>
    step(github.as({ id: github.run.id + 20 }), 'backup', inputs, {
      error: 'backup-not-stored',
      says: [`(${code})`, ...says],
    });
  await wrong({ ...both, 'ca-bundle': '' }, 'store-unavailable', 'ca-bundle');
  await wrong({ ...s3, 's3-credentials': 'labkey:another-secret' }, 'store-credentials', 's3-credentials');
  await wrong({ ...s3, s3: 'none-of-that-name' }, 'store-address', 'there is no bucket');
  await wrong({ ...s3, 's3-lock-days': '1' }, 'store-lock', 's3-lock-days');
  await wrong({ ...s3, 's3-endpoint': `https://${servers.registry}` }, 'store-endpoint', 'port of the API');
  await step(
    github,
    'backup',
    { ...both, stores: 'oci', oci: 'none' },
    { error: 'input-invalid', says: ['HOST/PATH'] },
  );
}
