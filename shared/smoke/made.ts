import pMap from 'p-map';
import type { ApiCaller } from '../platform/api.js';
import { removeServer } from './servers.js';
import { leftText } from './tenants.js';

/** One thing that a test has made on the platform. */
export interface MadeThing {
  kind: 'server' | 'grant' | 'session';
  namespace: string;
  name: string;
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
 * Removes what was made, sessions and grants before servers. Nothing is thrown.
 *
 * @returns what is left, each with why
 */
export async function removeMade(
  made: Made,
  admin: ApiCaller,
  isWanted: (thing: MadeThing) => boolean = () => true,
): Promise<string[]> {
  const left: string[] = [];
  for (const kind of ['session', 'grant', 'server'] as const) {
    const things = made.things.filter((thing) => thing.kind === kind && isWanted(thing));
    await pMap(
      things,
      async (thing) => {
        try {
          await removeThing(admin, thing);
          made.drop((one) => one === thing);
        } catch (error) {
          left.push(leftText(`${thing.kind} ${thing.namespace}/${thing.name}`, error));
        }
      },
      { concurrency: width },
    );
  }
  return left;
}

async function removeThing(admin: ApiCaller, { kind, namespace, name }: MadeThing): Promise<void> {
  if (kind === 'server') return removeServer(admin, { namespace, name });
  await admin.call('DELETE', `/runtime/${kind}s/${namespace}/${name}`, { accept: [200, 404] });
}
