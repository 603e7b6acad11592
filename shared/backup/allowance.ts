import { type RefusalRule, refusalRules } from './refusals.js';

/** A refusal rule that the user overrides: everywhere, for the objects of a namespace, or for one object. */
export interface Allowance {
  rule: RefusalRule;
  /** `namespace/name`, or `namespace/*`; undefined for everything. */
  object?: string;
}

const form = /^([a-z-]+)(?::([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\/(?:\*|[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)))?$/;

/**
 * Reads one entry of the input `allow`, such as `fewer-objects`, `secret-missing:blog/old-blog` or `certificate-issuing:blog/*`.
 *
 * @returns undefined for a text that is none
 */
export function parseAllowance(text: string): Allowance | undefined {
  const [, word, object] = form.exec(text) ?? [];
  const rule = refusalRules.find((one) => one === word);
  if (rule === undefined) return undefined;
  return object === undefined ? { rule } : { rule, object };
}

/** Whether one of the allowances covers a rule for an object, which may go by several names (`namespace/name`). */
export function isAllowed(allowed: readonly Allowance[], rule: RefusalRule, names: readonly string[] = []): boolean {
  return allowed.some((one) => {
    if (one.rule !== rule) return false;
    if (one.object === undefined) return true;
    const [namespace] = one.object.split('/');
    return names.some(
      (name) => name === one.object || (one.object === `${namespace}/*` && name.startsWith(`${namespace}/`)),
    );
  });
}

/** The entry that allows a rule for one object: what a message tells the user to paste. For a name of no object, the rule. */
export function allowanceFor(rule: RefusalRule, name: string | undefined): string {
  const entry = `${rule}:${name}`;
  return name === undefined || parseAllowance(entry) === undefined ? rule : entry;
}
