import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Action, actionNames, actionsFrom } from '../actions.js';

/** The sources; what is compiled lies below `build`. */
const root = join(import.meta.dirname, '..', '..', '..');

/** The actions as the bundle knows them. */
export const actions: readonly Action[] = actionsFrom(
  Object.fromEntries(
    actionNames.map((name) => [name, parse(readFileSync(join(root, `action-${name}`, 'action.yml'), 'utf8'))]),
  ),
);

/** One of them. */
export function actionOf(name: string): Action {
  const found = actions.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no action ${name}`);
  return found;
}
