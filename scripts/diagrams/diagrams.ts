import { deployFlow } from './deploy-flow.js';
import { lifetimes } from './lifetimes.js';
import { restoreOrder } from './restore-order.js';
import type { Theme } from './svg.js';
import { trustBoundaries } from './trust.js';

/** The diagrams of the docs, each by the name of its files in docs/pictures. @param deploy text of the workflow `deploy` */
export const diagramsOf = (deploy: string): readonly [string, (theme: Theme) => string][] => [
  ['deploy-flow', (theme) => deployFlow(deploy, theme)],
  ['restore-order', restoreOrder],
  ['lifetimes', lifetimes],
  ['trust', trustBoundaries],
];
