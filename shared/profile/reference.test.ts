import { describe, expect, it } from '@jest/globals';
import { formFault } from './forms.js';
import { KNOWN_NAMES, ruleOf, VARIABLES } from './reference.js';

describe('the variable reference', () => {
  it('has each name once, aliases included', () => {
    const names = VARIABLES.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
    expect(KNOWN_NAMES).toEqual(names);
  });

  it('has defaults of the right form, and names that exist', () => {
    for (const rule of VARIABLES) {
      expect(rule.name).toMatch(/^[A-Z][A-Z0-9_]*$/);
      expect(rule.purpose).toMatch(/^[A-Z].*\.$/);
      if (rule.default !== undefined) expect(formFault(rule.kind, rule.default)).toBeUndefined();
      if (rule.unless !== undefined) expect(ruleOf(rule.unless)).toBeDefined();
    }
  });

  it('finds a rule by alias', () => {
    expect(ruleOf('MCP_GOOGLE_CLIENT_ID')?.name).toBe('GOOGLE_CLIENT_ID');
    expect(ruleOf('constructor')).toBeUndefined();
  });
});
