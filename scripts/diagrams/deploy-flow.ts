import { parse } from 'yaml';
import * as z from 'zod';
import { type Environment, environmentsOf, usualPrefix } from '../../init/environments.js';
import { arrow, box, label, type Part, type Point, picture, type Theme } from './svg.js';

/** The jobs of a rollout, each after the one before it, and the environments that they have; each must be in the workflow. */
const shown = {
  plan: `${usualPrefix}-plan`,
  approve: `${usualPrefix}-approval`,
  backup: `${usualPrefix}-backup`,
  rollout: 'production',
  'smoke-test': `${usualPrefix}-smoke`,
} as const;
const job = z.looseObject({ name: z.string() });
const shape = z.looseObject({
  on: z.looseObject({ workflow_call: z.looseObject({ secrets: z.record(z.string(), z.unknown()) }) }),
  jobs: z.looseObject({ plan: job, approve: job, backup: job, rollout: job, 'smoke-test': job }),
});

/** Of a box, and the way to the next one. In pixels. */
const size = { width: 226, height: 122, gap: 34, left: 8, top: 44 } as const;
/** In a row; every second one is read backwards, so that the way is one line. */
const most = 3;

/**
 * A deployment's jobs in the order in which they need each other, each with its environment, who lets it start, its identity and its secrets.
 *
 * @param text of the workflow `deploy`
 */
export function deployFlow(text: string, theme: Theme): string {
  const { on, jobs } = shape.parse(parse(text));
  const secrets = Object.keys(on.workflow_call.secrets);
  const environments = environmentsOf([{ text, secrets, installs: false, stores: [], prefix: usualPrefix }]);
  const chain = (Object.keys(shown) as (keyof typeof shown)[]).map((id) => {
    const environment = environments.find(({ name }) => name === shown[id]);
    if (environment === undefined) throw new Error(`the workflow has no environment ${shown[id]}`);
    return { name: jobs[id].name, environment };
  });
  const parts = chain.flatMap(({ name, environment }, index): Part[] => {
    const here = { ...placeOf(index), width: size.width, height: size.height };
    const drawn = box(here, name, linesOf(environment), environment.hasReviewers);
    return index === 0 ? [drawn] : [drawn, between(placeOf(index - 1), here)];
  });
  const rows = Math.ceil(chain.length / most);
  const title = 'A deployment: each job has its own environment, identity and secrets';
  return picture(
    {
      width: size.left * 2 + most * size.width + (most - 1) * size.gap,
      height: size.top + rows * size.height + (rows - 1) * size.gap + 8,
    },
    `${title}. ${chain.map(({ name, environment }) => `${name} in ${environment.name}`).join(', then ')}`,
    [label({ x: size.left, y: 22 }, title, { size: 15, weight: 600 }), ...parts],
    theme,
  );
}

function placeOf(index: number): Point {
  const [row, column] = [Math.floor(index / most), index % most];
  const place = row % 2 === 0 ? column : most - 1 - column;
  return { x: size.left + place * (size.width + size.gap), y: size.top + row * (size.height + size.gap) };
}

function linesOf({ name, secrets, hasReviewers, operation }: Environment): string[] {
  const own = secrets.filter((secret) => secret !== 'KUBECONFIG');
  return [
    `environment ${name}`,
    hasReviewers ? 'starts when a reviewer approves' : 'starts by itself',
    operation === undefined ? 'cannot reach the cluster' : `may do on the cluster: ${operation}`,
    ...(own.length > 0 ? own.map((secret) => `secret ${secret}`) : ['no secret of its own']),
  ];
}

function between(from: Point, to: Point): Part {
  if (from.y !== to.y) {
    const x = from.x + size.width / 2;
    return arrow({ x, y: from.y + size.height }, { x, y: to.y });
  }
  const y = from.y + size.height / 2;
  return to.x > from.x
    ? arrow({ x: from.x + size.width, y }, { x: to.x, y })
    : arrow({ x: from.x, y }, { x: to.x + size.width, y });
}
