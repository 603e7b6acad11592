import { bareDomain } from './forms.js';
import { ruleOf, VARIABLES } from './reference.js';

/** The variables of a profile as they stand in it: no defaults, no aliases resolved. */
export type Values = ReadonlyMap<string, string>;

/** The public hosts of a platform. */
export interface Hosts {
  readonly registry: string;
  readonly mcp: string;
  readonly platform: string;
}

/**
 * The name under which a variable or one of its aliases has a value; undefined when none has. An empty value counts
 * as none, as it does for the platform.
 */
export function givenName(values: Values, name: string): string | undefined {
  const names = [name, ...(ruleOf(name)?.aliases ?? [])];
  return names.find((each) => (values.get(each) ?? '') !== '');
}

/** The value that the profile gives a variable, also by an alias; undefined when it gives none. */
export function given(values: Values, name: string): string | undefined {
  const found = givenName(values, name);
  return found === undefined ? undefined : values.get(found);
}

/** The value that counts: the given one, else the default of the reference; undefined when there is neither. */
export function effective(values: Values, name: string): string | undefined {
  return given(values, name) ?? ruleOf(name)?.default;
}

/** The domain of the platform, bare (no scheme, path, port or trailing dot); undefined when unset or not a domain. */
export function domainOf(values: Values): string | undefined {
  const written = given(values, 'MCP_PLATFORM_DOMAIN');
  return written === undefined ? undefined : bareDomain(written);
}

/** The public hosts: each the one that the profile gives, else the one derived from the domain, else left out. */
export function hostsOf(values: Values): Partial<Hosts> {
  const domain = domainOf(values);
  const hosts: Partial<Record<keyof Hosts, string>> = {};
  for (const { name, derivedLabel } of VARIABLES) {
    if (derivedLabel === undefined) continue;
    const host = given(values, name) ?? (domain === undefined ? undefined : `${derivedLabel}.${domain}`);
    if (host !== undefined) hosts[derivedLabel] = host;
  }
  return hosts;
}

/** The kubeconfig of the profile: MCP_SETUP_KUBECONFIG before KUBECONFIG, as the platform's scripts have it. */
export function kubeconfigOf(values: Values): string | undefined {
  return given(values, 'MCP_SETUP_KUBECONFIG') ?? given(values, 'KUBECONFIG');
}

/** The values that must be masked: those of every variable of kind secret. */
export function secretValues(values: Values): readonly string[] {
  return [...values].filter(([name, value]) => isSecret(name) && value !== '').map(([, value]) => value);
}

/** Whether a variable of the profile holds a secret. */
export function isSecret(name: string): boolean {
  return ruleOf(name)?.kind === 'secret';
}
