import type { Cluster } from '../cluster/cluster.js';
import { at } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { platformConfig } from '../platform/resources.js';
import { given, type Values } from '../profile/values.js';

/** What stays of the platform's configuration: the live one, and what a restore adds to it. */
export interface KnownConfig {
  values: Readonly<Record<string, string>>;
  /** Where the mode comes from, in words. */
  origin: string;
}

/** What a restore would do with one object of a backup. */
export interface PlannedObject {
  action: string;
  item: { object: KubeObject };
}

/** How the installer is told the platform's mode. */
export interface PlatformModeDecision {
  /** What is passed; undefined when nobody has ever said, and the installer's default counts. */
  pass: string | undefined;
  /** Whether the configuration must be changed by us: the installer itself keeps another mode where `tenant` is asked for. */
  overwrites: boolean;
  /** What to tell about it; empty when there is nothing to tell. */
  reason: string;
}

const key = 'PLATFORM_MODE';
const installersDefault = 'tenant';
/** Those that the installer takes; it refuses any other that it is told. */
const modes: readonly string[] = [installersDefault, 'org', 'public'];

/** The configuration that the installer will find: what is live, and, of a backup, what is not. */
export function knownConfig(
  live: Readonly<Record<string, string>> | undefined,
  plan: { lines: readonly PlannedObject[] } | undefined,
): KnownConfig {
  const line = plan?.lines.find(
    ({ item: { object }, action }) =>
      object.kind === kinds.configMap.kind && object.metadata.name === platformConfig.name && action !== 'skip',
  );
  const data = at(line?.item.object, 'data');
  const restored = isRecord(data) ? Object.entries(data).map(([name, value]) => [name, String(value)]) : [];
  const origin = live?.[key] === undefined ? 'the backup has it' : 'the cluster has it';
  return { values: { ...Object.fromEntries(restored), ...live }, origin };
}

/**
 * Decides the mode. It is passed only where somebody has said it: in the input or the profile, or at an earlier
 * installation, of which a wipe has left the backup. Without that the installer would make a wiped `org` a `tenant`.
 *
 * @param wanted input or profile; empty when both say nothing
 * @throws McprtError `setup-platform-mode` when the platform would become another one, and nobody has agreed
 */
export function decidePlatformMode(wanted: string, known: KnownConfig, agreed: boolean): PlatformModeDecision {
  const present = (known.values[key] ?? '').trim().toLowerCase();
  if (present !== '' && !modes.includes(present)) {
    return {
      pass: wanted === '' ? undefined : wanted,
      overwrites: wanted !== '',
      reason: `platform mode ${present.slice(0, 40)}, as ${known.origin}, is none that the installer knows`,
    };
  }
  if (wanted === '' || present === '' || wanted === present) {
    const pass = wanted || present;
    const isKept = wanted === '' && present !== '' && present !== installersDefault;
    return {
      pass: pass === '' ? undefined : pass,
      overwrites: false,
      reason: isKept ? `platform mode ${present}, as ${known.origin}` : '',
    };
  }
  if (agreed) {
    return {
      pass: wanted,
      overwrites: true,
      reason: `platform mode ${wanted} instead of ${present}: \`allow\` names it`,
    };
  }
  throw new McprtError('setup-platform-mode', {
    what: `setup would make a platform of mode ${present} one of mode ${wanted}; nothing was changed`,
    why: `\`platform-mode\` or MCP_SETUP_PLATFORM_MODE of the profile says ${wanted}, and ${known.origin} as ${present}: who may publish servers, and where, would change`,
    next: `to keep ${present}, leave \`platform-mode\` and MCP_SETUP_PLATFORM_MODE empty, or set them to ${present}; if ${wanted} is meant, set \`allow: platform-mode\``,
  });
}

/** What input or profile say; empty when neither does. */
export function wantedPlatformMode(input: string, profile: Values): string {
  return (input || given(profile, 'MCP_SETUP_PLATFORM_MODE') || '').trim().toLowerCase();
}

/** Writes an agreed mode, before the installer reads it. Where there is no configuration, the installer writes it. */
export async function writePlatformMode(cluster: Cluster, mode: string): Promise<void> {
  if ((await cluster.get<KubeObject>(kinds.configMap, platformConfig)) === undefined) return;
  await cluster.patch(kinds.configMap, platformConfig, [{ op: 'add', path: `/data/${key}`, value: mode }]);
}
