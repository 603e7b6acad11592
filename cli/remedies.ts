import { inShellWords, type Offered } from '../shared/action/shell-wording.js';
import { shellWord } from '../shared/shell-word.js';
import { type Action, variableOf } from './actions.js';

/** By what a text of an action is told in the words of the command line. */
export interface Wording {
  action: Action;
  actions: readonly Action[];
}

/** A text of an action in the words of the command line. */
export function asOptions(text: string, { action, actions }: Wording): string {
  return inShellWords(text, { own: offered(action), all: actions.map(offered) });
}

function offered({ name, operations, inputs }: Action): Offered {
  return {
    name,
    operations,
    option(named, value) {
      const input = inputs.find((one) => one.name === named);
      if (input === undefined) return undefined;
      if (input.type.isSecret === true) return `\`--${named}-file\` (or ${variableOf(input)})`;
      if (value === undefined || value === 'true') return `\`--${named}\``;
      return value === 'false' ? `\`--${named}=false\`` : `\`--${named} ${shellWord(value)}\``;
    },
  };
}
