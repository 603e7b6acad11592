import { connect } from 'node:net';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { buildOwnModule } from '../../lab/driver/own-module.js';
import { bound, startProcess, stopProcesses } from '../../lab/driver/processes.js';
import { until } from '../../lab/driver/until.js';
import { putBlob } from '../../lab/platform/image.js';
import { McprtError } from '../../shared/errors.js';
import { type FoundImage, openRegistry } from '../../shared/images/registry.js';
import { forwardedRoute, publicRoute } from '../../shared/images/route.js';
import { direct } from '../../shared/proxy.js';
import { chosenOf, type Proof, type ProofContext } from '../support/proof.js';
import { type Behaviour, behaviours } from './cases.js';
import { entry, type Put, putImage, putIndex, types } from './images.js';
import { credentials, digestOf, hosts, type StandIn, startStandIn } from './stand-in.js';

const never = new AbortController().signal;

export const registries: Proof = {
  name: 'registries',
  claim:
    'registries as they are: redirects to a blob store, tokens, nested indexes, attestations, both media types, what passes and what lies; a stand-in as strict as the real one, and Distribution itself, give the same',
  async run(context) {
    const standIn = await startStandIn();
    try {
      const chosen = chosenOf(
        context,
        behaviours.map((one) => ({ ...one, quick: true })),
      );
      for (const one of chosen) await show(context, standIn, one);
      const same = context.flags.only === undefined ? await compareWithDistribution(context, standIn) : 0;
      return { behaviours: chosen.length, sameAtDistribution: same };
    } finally {
      await standIn.close();
    }
  },
};

async function show(context: ProofContext, standIn: StandIn, one: Behaviour): Promise<void> {
  const { expect, expectSame } = context.about(one.name);
  standIn.reset();
  const due = await one.make(standIn);
  const { found, error } = await read(standIn, one.reference?.(standIn) ?? 'latest');
  if (typeof due === 'string') expect(error?.code === due, `${error?.code ?? 'it was read'}, not ${due}`);
  else {
    expect(error === undefined, `${error?.code}: ${error?.message} ${error?.why}`);
    expectSame('what is found', found, due);
  }
  const message = [error?.message, error?.why, error?.next].join('\n');
  const requests = standIn.asked.map(({ host, method, path }) => `${method} ${host}${path}`).join('\n');
  expect(one.seen?.(standIn, message) ?? true, `the requests are not those that are due:\n${requests}`);
}

interface Outcome {
  found?: FoundImage | undefined;
  error?: McprtError;
}

async function read({ port, ca }: StandIn, reference: string): Promise<Outcome> {
  const overrides = Object.values(hosts).map((host) => ({ host, port: 443, address: '127.0.0.1', toPort: port }));
  const route = publicRoute(hosts.registry, credentials, { overrides, dnsServer: '', caBundle: ca, proxies: direct });
  try {
    return { found: await openRegistry(route, never, 5).find('app', reference) };
  } catch (error) {
    if (error instanceof McprtError) return { error };
    throw error;
  } finally {
    await route.close();
  }
}

/** Puts the same images into the stand-in and into Distribution, and reads both. @returns how many are the same */
async function compareWithDistribution(context: ProofContext, standIn: StandIn): Promise<number> {
  const program = await buildOwnModule('registry', context);
  const port = (await bound(0)) ?? 0;
  const url = `http://127.0.0.1:${port}`;
  const started = await startProcess(
    'registry',
    program,
    [`--listen=127.0.0.1:${port}`, `--root=${join(context.folder, 'storage')}`],
    {
      log: join(context.folder, 'registry.log'),
      env: { PATH: context.env.PATH, HOME: context.folder },
    },
  );
  const route = forwardedRoute(async () => connect(port, '127.0.0.1'), undefined);
  try {
    await until('the registry to be up', () =>
      fetch(`${url}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    standIn.reset();
    let same = 0;
    for (const [name, make] of Object.entries(shapes)) {
      await make(standIn.put, name);
      await make(intoDistribution(url), name);
      const theirs = await openRegistry(route, never, 5).find('app', name);
      const { found } = await read(standIn, name);
      context.about(name).expectSame('at Distribution', theirs, found);
      if (theirs !== undefined && isDeepStrictEqual(theirs, found)) same += 1;
    }
    return same;
  } finally {
    await route.close();
    await stopProcesses([started]);
  }
}

const shapes: Readonly<Record<string, (put: Put, name: string) => Promise<unknown>>> = {
  oci: (put, name) => putImage(put, 'amd64', types.ociManifest, name),
  docker: (put, name) => putImage(put, 'amd64', types.dockerManifest, name),
  'oci-index': (put, name) => twoIn(put, name, types.ociIndex, types.ociManifest),
  'docker-list': (put, name) => twoIn(put, name, types.dockerList, types.dockerManifest),
  nested: async (put, name) => {
    const inner = await twoIn(put, `${name}-inner`, types.ociIndex, types.ociManifest);
    return putIndex(put, types.ociIndex, [entry(inner, '', types.ociIndex)], name);
  },
  bare: async (put, name) => {
    const only = await putImage(put, 'arm64', types.ociManifest);
    return putIndex(put, types.ociIndex, [entry(only, '')], name);
  },
};

async function twoIn(put: Put, name: string, type: string, of: string): Promise<string> {
  const [first, second] = [await putImage(put, 'amd64', of), await putImage(put, 'arm64', of)];
  return putIndex(put, type, [entry(first, 'linux/amd64', of), entry(second, 'linux/arm64', of)], name);
}

/** What has a media type is a manifest, all else a blob. */
function intoDistribution(url: string): Put {
  return async (content, ...names) => {
    const body = JSON.stringify(content);
    const { mediaType } = content as { mediaType?: string };
    if (mediaType === undefined) return (await putBlob(url, 'app', Buffer.from(body))).digest;
    const digest = digestOf(Buffer.from(body));
    for (const name of [digest, ...names]) {
      const answer = await fetch(`${url}/v2/app/manifests/${name}`, {
        method: 'PUT',
        headers: { 'content-type': mediaType },
        body,
      });
      if (answer.status !== 201)
        throw new Error(`Distribution refused a manifest: ${answer.status} ${await answer.text()}`);
    }
    return digest;
  };
}
