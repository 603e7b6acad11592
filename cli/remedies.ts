import { type Action, variableOf } from './actions.js';

/** By what a text of an action is told in the words of the command line. */
export interface Wording {
  action: Action;
  actions: readonly Action[];
}

/**
 * A text of an action in the words of the command line: inputs that it names are options there, and operations are words.
 * Only what is code between backquotes is touched.
 */
export function asOptions(text: string, { action, actions }: Wording): string {
  return text.replace(
    /`([a-z][a-z-]{0,40})(?:: ([^`:\n]{1,200}))?`/g,
    (code, name: string, value: string | undefined) => {
      if (name === 'operation' && value !== undefined) {
        const able = [action, ...actions].find(({ operations }) => operations.includes(value));
        return able === undefined ? code : `\`mcprt ${able.name} ${value}\``;
      }
      const input = action.inputs.find((one) => one.name === name);
      if (input === undefined) return code;
      if (input.type.isSecret === true) return `\`--${name}-file\` (or ${variableOf(input)})`;
      if (value === undefined || value === 'true') return `\`--${name}\``;
      return value === 'false' ? `\`--${name}=false\`` : `\`--${name} ${value}\``;
    },
  );
}
