import type { Action } from '../../lab/driver/action.js';
import type { ProofContext } from '../support/proof.js';
import type { Given, Inputs } from './actions.js';
import { type Base, makeBase, type WorldOptions } from './base.js';
import { makers, type PartName, type Parts } from './parts.js';

/** The surroundings in which a proof runs: a cluster with the actions, and the parts that were named. */
export type World<P extends PartName = never> = Base & Pick<Parts, P>;

/**
 * Makes a world of a new lab, with some parts and what they stand on, and lets a story go on in it. All of it is closed
 * when the story ends, the last part first, and also when a part does not start.
 */
export async function inWorld<P extends PartName, T>(
  context: ProofContext,
  parts: readonly P[],
  story: (world: World<P>) => Promise<T>,
  options: WorldOptions = {},
): Promise<T> {
  const closers: (() => Promise<void>)[] = [];
  try {
    return await story(await makeWorld(context, parts, options, closers));
  } finally {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  }
}

async function makeWorld<P extends PartName>(
  context: ProofContext,
  wanted: readonly P[],
  options: WorldOptions,
  closers: (() => Promise<void>)[],
): Promise<World<P>> {
  const given: Given = {};
  const base = await makeBase(context, options, given);
  closers.push(() => base.cluster.close());
  const names = withNeeds(wanted);
  const parts: Partial<Parts> = {};
  for (const name of Object.keys(makers) as PartName[]) {
    if (!names.has(name)) continue;
    const { part, inputs = {}, close } = await makers[name].make(base, parts, options);
    if (close) closers.push(close);
    Object.assign(parts, { [name]: part });
    for (const [action, more] of Object.entries(inputs) as [Action, Inputs][])
      given[action] = { ...given[action], ...more };
  }
  // All that is wanted has been made by now.
  return { ...base, ...parts } as World<P>;
}

function withNeeds(wanted: readonly PartName[]): Set<PartName> {
  return new Set(wanted.flatMap((name) => [name, ...withNeeds(makers[name].needs)]));
}
