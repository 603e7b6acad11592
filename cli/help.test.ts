import { describe, expect, it } from '@jest/globals';
import { completion } from './completion.js';
import { actionHelp, commandHelp } from './help.js';
import { actions } from './testing/actions.js';

describe('help', () => {
  it('of the command names each action', () => {
    const text = commandHelp(actions, 100);
    for (const { name } of actions) expect(text).toContain(`  ${name} `);
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  });

  it.each(actions)('of an action names each operation and each input: $name', (action) => {
    const text = actionHelp(action, undefined, 100);
    for (const name of [...action.operations, ...action.inputs.map((input) => `--${input.name}`)]) {
      expect(text).toContain(name);
    }
    expect(text).not.toMatch(/`|\]\(/);
    expect(actionHelp(action, action.operations[0], 100)).toContain(`mcprt ${action.name} ${action.operations[0]} `);
  });

  it('says where a secret comes from, what a flag is by default, and what may be repeated', () => {
    const [backup, setup] = actions.map((action) => actionHelp(action, undefined, Number.MAX_SAFE_INTEGER));
    expect(backup).toMatch(/^ {2}--restore-key-file PATH .* Or variable MCPRT_RESTORE_KEY\.$/m);
    expect(backup).not.toMatch(/^ {2}--restore-key /m);
    expect(backup).toMatch(/^ {2}--also VALUE .* May be repeated\.$/m);
    expect(setup).toMatch(/^ {2}--doctor .* On; --doctor=false switches it off\.$/m);
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'] as const)(
    'for %s knows each action, operation and option, and offers no secret’s value',
    (shell) => {
      const script = completion(shell, actions);
      for (const { name, operations, inputs } of actions) {
        for (const word of [name, ...operations, ...inputs.map((input) => input.name)]) expect(script).toContain(word);
      }
      expect(script).not.toMatch(shell === 'fish' ? /-l restore-key / : /--restore-key[ ']/);
    },
  );
});
