/** What cert-manager's running controller was told by its flags and its configuration file, as far as Secrets and Ingresses depend on it. */
import { parse } from 'yaml';
import { isRecord } from '../json.js';
import type { ShimOptions } from './ingress-shim.js';

/** Settings of a controller, each with the default of its program where nothing sets it. */
export interface ControllerSettings {
  /** Where the Secrets of ClusterIssuers are. */
  readonly clusterResourceNamespace: string;
  /** What ingress-shim makes of Ingresses. */
  readonly shim: Omit<ShimOptions, 'certManagerVersion'>;
}

/** A container of a pod's template, as far as flags need it. */
export interface FlaggedContainer {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVariable[];
}

export interface EnvVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath?: string } };
}

/** The settings of the release's manifest, for a cluster without a controller: setup installs that one. */
export const releaseSettings: ControllerSettings = { clusterResourceNamespace: 'cert-manager', shim: {} };

/** The program's own default, which differs from what its manifests set. */
const programDefault = 'kube-system';

/**
 * Reads the settings of a controller. A flag wins over the file, as in the program.
 * Source: cert-manager cmd/controller/app/options, internal/apis/config/controller/v1alpha1/defaults.go.
 *
 * @param namespace of the controller's pod
 * @param file text of the file that `--config` names; undefined where there is none
 */
export function controllerSettings(
  container: FlaggedContainer,
  namespace: string,
  file: string | undefined,
): ControllerSettings {
  const flags = flagsOf(container, namespace);
  const configured = fileSettings(file);
  const one = (flag: string, ...path: string[]): string | undefined =>
    flags.get(flag)?.at(-1) || textOf(valueAt(configured, path)) || undefined;
  const several = (flag: string, ...path: string[]): string[] | undefined => {
    const given = flags.get(flag);
    if (given !== undefined) return given.flatMap((list) => list.split(',')).filter((item) => item !== '');
    const listed = valueAt(configured, path);
    // An empty list of the file is none: the program's default takes its place.
    if (!Array.isArray(listed) || listed.length === 0) return undefined;
    return listed.filter((item): item is string => typeof item === 'string');
  };
  const name = one('default-issuer-name', 'ingressShimConfig', 'defaultIssuerName');
  const kind = one('default-issuer-kind', 'ingressShimConfig', 'defaultIssuerKind');
  const group = one('default-issuer-group', 'ingressShimConfig', 'defaultIssuerGroup');
  const automatic = several('auto-certificate-annotations', 'ingressShimConfig', 'defaultAutoCertificateAnnotations');
  const extra = several('extra-certificate-annotations', 'ingressShimConfig', 'extraCertificateAnnotations');
  const controllers = several('controllers', 'controllers');
  const gateways = isTrue(flags.get('enable-gateway-api')?.at(-1) ?? valueAt(configured, ['enableGatewayAPI']));
  return {
    clusterResourceNamespace: one('cluster-resource-namespace', 'clusterResourceNamespace') ?? programDefault,
    shim: {
      ...(name === undefined ? {} : { defaultIssuerName: name }),
      ...(kind === undefined ? {} : { defaultIssuerKind: kind }),
      ...(group === undefined ? {} : { defaultIssuerGroup: group }),
      ...(automatic === undefined ? {} : { autoCertificateAnnotations: automatic }),
      ...(extra === undefined ? {} : { extraCertificateAnnotations: extra }),
      ...(runs(controllers, 'ingress-shim') ? {} : { disabled: true }),
      ...(gateways && runs(controllers, 'gateway-shim') ? { gateways: true } : {}),
    },
  };
}

/** The path that `--config` names; undefined where the controller has no configuration file. */
export function configPathOf(container: FlaggedContainer, namespace: string): string | undefined {
  return flagsOf(container, namespace).get('config')?.at(-1) || undefined;
}

/** pflag: `--flag=value` and `--flag value`; a flag that is given again is appended, and the last one counts. */
function flagsOf({ command = [], args = [], env = [] }: FlaggedContainer, namespace: string): Map<string, string[]> {
  const words = [...command, ...args].map((word) => expanded(word, env, namespace));
  const flags = new Map<string, string[]>();
  for (const [index, word] of words.entries()) {
    const [, name, joined] = /^--([a-z0-9-]+)(?:=([\s\S]*))?$/i.exec(word) ?? [];
    if (name === undefined) continue;
    const next = words[index + 1];
    const value = joined ?? (next !== undefined && !next.startsWith('-') ? next : 'true');
    flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return flags;
}

/** `$(NAME)` in a command or argument, as the kubelet expands it; `$$(NAME)` and unknown names stay as they are. */
function expanded(word: string, env: readonly EnvVariable[], namespace: string): string {
  return word.replace(/\$(\$)?\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (whole, escaped: string | undefined, name: string) => {
    if (escaped !== undefined) return whole.slice(1);
    const variable = env.findLast((one) => one.name === name);
    if (variable === undefined) return whole;
    return variable.valueFrom?.fieldRef?.fieldPath === 'metadata.namespace' ? namespace : (variable.value ?? whole);
  });
}

/** `*` stands for those that run by default, `-name` takes one out; both shims are of the default. */
function runs(controllers: readonly string[] | undefined, shim: 'ingress-shim' | 'gateway-shim'): boolean {
  if (controllers === undefined || controllers.length === 0) return true;
  return !controllers.includes(`-${shim}`) && (controllers.includes(shim) || controllers.includes('*'));
}

/** A switch, as a flag or in a file: in the spellings of "true" that Go strconv.ParseBool knows. */
function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && /^(?:1|t|T|true|TRUE|True)$/.test(value));
}

/** What a configuration file says; undefined where it cannot be read. */
export function fileSettings(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return parse(text, { maxAliasCount: 0 }) as unknown;
  } catch {
    // The controller does not start with it; what it was told before is not known.
    return undefined;
  }
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((found, field) => (isRecord(found) ? found[field] : undefined), value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
