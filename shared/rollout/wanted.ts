import { textAt } from '../cluster/fields.js';
import { isRecord } from '../json.js';
import { given, type Hosts, type Values } from '../profile/values.js';

/** The user that the platform's pull Secrets name; its password is the platform's UI_API_KEY. */
export const registryUser = 'platform-service';

/** The keys of mcp-sentinel-config that a rollout looks after (runbook: k3s Traefik integration, registry). */
const managedKeys = [
  'PLATFORM_TRAEFIK_NAMESPACE',
  'PLATFORM_TEAM_TRAEFIK_WATCH',
  'MCP_REGISTRY_ENDPOINT',
  'MCP_REGISTRY_INGRESS_HOST',
] as const;

/** Of the data of mcp-sentinel-config, the part that a rollout looks after: it is written as a whole or not at all. */
export function managedPart(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(managedKeys.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])));
}

/**
 * The keys of mcp-sentinel-config that a rollout looks after, as they should be: what the profile says; where it says
 * nothing, what is there stays, and what is missing gets the value that k3s' own Traefik and the public registry need.
 */
export function wantedConfig(
  values: Values,
  hosts: Hosts,
  live: Readonly<Record<string, string>>,
): Record<string, string> {
  const wanted: Record<string, string> = {};
  const set = (key: (typeof managedKeys)[number], byDefault: string | undefined): void => {
    const value = given(values, key) ?? ((live[key] ?? '') === '' ? byDefault : undefined);
    if (value !== undefined) wanted[key] = value;
  };
  set('PLATFORM_TRAEFIK_NAMESPACE', 'kube-system');
  const traefik = wanted.PLATFORM_TRAEFIK_NAMESPACE ?? live.PLATFORM_TRAEFIK_NAMESPACE;
  // With k3s' own Traefik, which watches every namespace, creating a team would patch a Deployment that k3s manages.
  set('PLATFORM_TEAM_TRAEFIK_WATCH', traefik === 'kube-system' ? 'disabled' : undefined);
  set('MCP_REGISTRY_ENDPOINT', hosts.registry);
  set('MCP_REGISTRY_INGRESS_HOST', hosts.registry);
  return wanted;
}

/**
 * The text of a `.dockerconfigjson` with the platform's present password for a registry; undefined when the one that is
 * there has it already. Entries for other registries are kept.
 *
 * @param live text of the one that is there; empty when there is none, or none that is JSON
 */
export function wantedPullSecret(live: string, host: string, password: string): string | undefined {
  const config = parsedConfig(live);
  const auths = isRecord(config.auths) ? config.auths : {};
  const entry = auths[host];
  const auth = Buffer.from(`${registryUser}:${password}`).toString('base64');
  const isCurrent =
    isRecord(entry) &&
    (textAt(entry, 'auth') === auth ||
      (textAt(entry, 'auth') === '' && entry.username === registryUser && entry.password === password));
  if (isCurrent) return undefined;
  return JSON.stringify({ ...config, auths: { ...auths, [host]: { username: registryUser, password, auth } } });
}

function parsedConfig(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : {};
  } catch {
    // What is no JSON helps no kubelet either.
    return {};
  }
}
