import pMap from 'p-map';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import type { ApiCaller } from '../platform/api.js';
import { leftText } from './tenants.js';

/** In the order in which they are removed: a server's Secret is the platform's doing, and stays when the server goes. */
export const madeKinds = ['session', 'grant', 'server', 'secret'] as const;

/** One thing that a test has made on the platform, or has caused there. */
export interface MadeThing {
  kind: (typeof madeKinds)[number];
  namespace: string;
  name: string;
}

/** By whom things are removed. */
export interface Remover {
  admin: ApiCaller;
  /** Secrets are not to be removed by the platform's API; undefined when no kubeconfig was given. */
  cluster: Cluster | undefined;
}

/** What became of a removal. */
export interface Removed {
  /** What should be gone and is not, each with why. */
  left: string[];
  /** Secrets that these credentials cannot remove, each as the command that does. */
  kept: string[];
}

/** What a run has made and not yet removed. It is told before it is made, so that nothing is forgotten by a kill. */
export class Made {
  #things: MadeThing[];
  readonly #onChange: (things: readonly MadeThing[]) => void;

  constructor(onChange: (things: readonly MadeThing[]) => void, things: readonly MadeThing[] = []) {
    this.#things = [...things];
    this.#onChange = onChange;
  }

  get things(): readonly MadeThing[] {
    return this.#things;
  }

  add(thing: MadeThing): void {
    this.#things.push(thing);
    this.#onChange(this.#things);
  }

  /** Forgets things: they are gone, or they are to stay. */
  drop(isDropped: (thing: MadeThing) => boolean): void {
    this.#things = this.#things.filter((thing) => !isDropped(thing));
    this.#onChange(this.#things);
  }
}

const width = 4;

/**
 * Removes what was made, sessions and grants before servers, and looks that each is gone. Nothing is thrown.
 */
export async function removeMade(
  made: Made,
  remover: Remover,
  isWanted: (thing: MadeThing) => boolean = () => true,
): Promise<Removed> {
  const removed: Removed = { left: [], kept: [] };
  for (const kind of madeKinds) {
    const things = made.things.filter((thing) => thing.kind === kind && isWanted(thing));
    await pMap(
      things,
      async (thing) => {
        try {
          const isGone = await removeThing(remover, thing);
          if (!isGone) removed.kept.push(`kubectl delete secret -n ${thing.namespace} ${thing.name}`);
          made.drop((one) => one === thing);
        } catch (error) {
          removed.left.push(leftText(`${thing.kind} ${thing.namespace}/${thing.name}`, error));
        }
      },
      { concurrency: width },
    );
  }
  return removed;
}

/** @returns false for a Secret that these credentials cannot remove */
async function removeThing({ admin, cluster }: Remover, { kind, namespace, name }: MadeThing): Promise<boolean> {
  if (kind === 'secret') return cluster === undefined ? false : removeSecret(cluster, { namespace, name });
  if (kind === 'server') {
    await removeServer(admin, { namespace, name });
    return true;
  }
  const path = `/runtime/${kind}s/${namespace}/${name}`;
  await admin.call('DELETE', path, { accept: [200, 404] });
  const { status, told } = await admin.call('GET', path, { accept: [200, 404] });
  if (status !== 404) throw stillThere(`the ${kind} ${name}`, told);
  return true;
}

async function removeSecret(cluster: Cluster, ref: { namespace: string; name: string }): Promise<boolean> {
  try {
    await cluster.delete(kinds.secret, ref);
    if ((await cluster.get(kinds.secret, ref)) === undefined) return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return false;
    throw error;
  }
  throw stillThere(`the Secret ${ref.name}`, 'it was deleted, and the API server still has it');
}

function stillThere(subject: string, why: string): McprtError {
  return new McprtError('smoke-cleanup', {
    what: `${subject} is still there after it was removed`,
    why,
    next: 'run `operation: cleanup`',
  });
}

/** A server of a test on the platform. */
export interface Deployed {
  name: string;
  namespace: string;
}

/** Removes a server, and looks that it is gone. @throws McprtError `smoke-cleanup`, and of the call */
export async function removeServer(caller: ApiCaller, { name, namespace }: Deployed): Promise<void> {
  await caller.call('DELETE', `/runtime/servers/${namespace}/${name}`, { accept: [200, 404] });
  const left = await caller.call('GET', `/runtime/servers/${namespace}/${name}`, { accept: [200, 404] });
  if (left.status === 404) return;
  throw new McprtError('smoke-cleanup', {
    what: `the server ${name} is still there after it was removed`,
    why: left.told,
    next: `remove it by hand: \`kubectl delete mcpserver ${name} -n ${namespace}\``,
  });
}
