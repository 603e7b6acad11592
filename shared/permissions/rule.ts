import type { Kind } from '../cluster/objects.js';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'escalate' | 'bind';

/** What an operation does with one resource, and why: one rule of a Role. */
export interface PermissionRule {
  on: Pick<Kind, 'group' | 'plural'>;
  subresource?: string;
  verbs: readonly Verb[];
  /** Where; in the whole cluster when it is left out. */
  namespace?: string;
  /**
   * The only objects that it is about, where the code knows their names. A POST names nothing that a role could see, so
   * `create` is limited by name only for what is made by server-side apply. A list or watch is, by its field selector.
   */
  names?: readonly string[];
  /**
   * `names` are those of the platform, and a cluster has others of the kind: `init --accounts` grants what it finds there.
   * Whatever is referred to later is asked for when it is met.
   */
  extensible?: true;
  because: string;
  /** Where the credentials lack it, the operation says so and goes on: it is granted, and not demanded. */
  optional?: true;
  /** A namespace that may not be there: what is done in it is not done then, and nothing is demanded. */
  ifPresent?: true;
  /** Why no run of the lab's suite needs it, and the operation still does: races, and what a killed run leaves. */
  unseen?: Partial<Record<Verb, string>>;
}

/** A rule: what is done with which resource, and why. */
export function rule(
  on: PermissionRule['on'],
  verbs: readonly Verb[],
  because: string,
  more: Omit<PermissionRule, 'on' | 'verbs' | 'because'> = {},
): PermissionRule {
  return { on, verbs, because, ...more };
}

/** One thing that credentials must be allowed. */
export interface Demand {
  verb: Verb;
  group: string;
  plural: string;
  subresource: string;
  namespace: string | undefined;
  name: string | undefined;
}

/** Every single thing that a rule asks for. */
export function demandsOf({ on, subresource = '', verbs, namespace, names }: PermissionRule): Demand[] {
  return verbs.flatMap((verb) =>
    (names ?? [undefined]).map((name) => ({ verb, group: on.group, plural: on.plural, subresource, namespace, name })),
  );
}

/** A rule for a cluster that has more of what an extensible rule names. */
export function extended(rule: PermissionRule, names: readonly string[]): PermissionRule {
  return rule.extensible ? { ...rule, names: [...new Set([...(rule.names ?? []), ...names])] } : rule;
}

/** A demand in words: `patch configmaps mcprt-anchor in kube-system`. */
export function wordsOf({ verb, group, plural, subresource, namespace, name }: Demand): string {
  const resource = `${plural}${group === '' ? '' : `.${group}`}${subresource === '' ? '' : `/${subresource}`}`;
  return `${verb} ${resource}${name === undefined ? '' : ` ${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

const reading: readonly Verb[] = ['get', 'list', 'watch'];

/** The part of some rules that only looks: what a dry run does. */
export function readsOf(rules: readonly PermissionRule[]): PermissionRule[] {
  return rules.flatMap((rule) => {
    const verbs = rule.verbs.filter((verb) => reading.includes(verb));
    return verbs.length === 0 ? [] : [withVerbs(rule, verbs)];
  });
}

/** Whether what grants one demand grants another one too. */
export function includes(wide: Demand, narrow: Demand): boolean {
  return (
    (['verb', 'group', 'plural', 'subresource'] as const).every((field) => wide[field] === narrow[field]) &&
    (wide.namespace === undefined || wide.namespace === narrow.namespace) &&
    (wide.name === undefined || wide.name === narrow.name)
  );
}

/** The rules without what others of them grant as well. */
export function distinct(rules: readonly PermissionRule[]): PermissionRule[] {
  return rules.flatMap((rule, index) => {
    const isGranted = (verb: Verb): boolean =>
      demandsOf({ ...rule, verbs: [verb] }).every((demand) =>
        rules.some((other, place) => place !== index && grants(other, demand, rule, place < index)),
      );
    const verbs = rule.verbs.filter((verb) => !isGranted(verb));
    return verbs.length === 0 ? [] : [withVerbs(rule, verbs)];
  });
}

function withVerbs({ unseen = {}, ...rule }: PermissionRule, verbs: readonly Verb[]): PermissionRule {
  const left = Object.entries(unseen).filter(([verb]) => verbs.some((one) => one === verb));
  return { ...rule, verbs, ...(left.length === 0 ? {} : { unseen: Object.fromEntries(left) }) };
}

/** What is demanded must not be left to a rule that is not; of two that are the same, the first one stays. */
function grants(other: PermissionRule, demand: Demand, rule: PermissionRule, isBefore: boolean): boolean {
  const isWeaker = (other.optional && !rule.optional) || (other.ifPresent && !rule.ifPresent);
  if (isWeaker) return false;
  return demandsOf(other).some((one) => {
    const isSame = includes(one, demand) && includes(demand, one) && other.optional === rule.optional;
    return isSame ? isBefore : includes(one, demand);
  });
}
