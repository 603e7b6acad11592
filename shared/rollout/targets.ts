import { at, recordsAt, textAt } from '../cluster/fields.js';
import type { KubeObject } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { parseReference, type Reference } from '../images/reference.js';
import { type Layout, layoutOf } from '../platform/resources.js';
import { standstillOf } from './standing.js';

/** One container of one Deployment that a rollout gives another image. */
export interface RolloutTarget {
  deployment: string;
  container: string;
  /** Dockerfile below the source's root; empty for an image that is only taken from elsewhere. */
  dockerfile: string;
}

/** The layouts that a source and a cluster can have. */
export type KnownLayout = Exclude<Layout, 'unknown'>;

/** What a rollout of each layout builds: the APIs and the dashboard, as the runbook's script has it. */
export const presets: Readonly<Record<KnownLayout, readonly RolloutTarget[]>> = {
  mono: [
    { deployment: 'mcp-sentinel-api', container: 'api', dockerfile: 'services/api/Dockerfile' },
    { deployment: 'mcp-sentinel-ui', container: 'ui', dockerfile: 'services/ui/Dockerfile' },
  ],
  split: [
    { deployment: 'mcp-platform-api', container: 'platform-api', dockerfile: 'services/platform-api/Dockerfile' },
    { deployment: 'mcp-runtime-api', container: 'runtime-api', dockerfile: 'services/runtime-api/Dockerfile' },
    { deployment: 'mcp-analytics-api', container: 'analytics-api', dockerfile: 'services/analytics-api/Dockerfile' },
    { deployment: 'mcp-sentinel-ui', container: 'ui', dockerfile: 'services/ui/Dockerfile' },
  ],
};

/** Manifests with the permissions of each layout's APIs, below the source's root. */
export const permissionManifests: Readonly<Record<KnownLayout, readonly string[]>> = {
  mono: ['k8s/08-api-rbac.yaml'],
  split: ['k8s/08-platform-api-rbac.yaml', 'k8s/08-runtime-api-rbac.yaml'],
};

const targetForm = /^([a-z0-9][-a-z0-9.]*)=(?:([a-z0-9][-a-z0-9]*)@)?([^\s@]+)$/;

/**
 * Reads a user's own list of targets, `deployment=container@dockerfile` one a line. Without `container@` it is the
 * Deployment's only container.
 *
 * @throws Error with what is wrong with the first line that is none
 */
export function parseTargets(text: string): RolloutTarget[] {
  const targets = linesOf(text).map((line, index): RolloutTarget => {
    const [, deployment, container = '', dockerfile] = targetForm.exec(line) ?? [];
    if (deployment === undefined || dockerfile === undefined) {
      throw new Error(`entry ${index + 1} is not deployment=container@dockerfile`);
    }
    if (dockerfile.startsWith('/') || dockerfile.split('/').includes('..')) {
      throw new Error(`the Dockerfile of ${deployment} is not below the source`);
    }
    return { deployment, container, dockerfile };
  });
  requireOnce(targets.map(({ deployment, container }) => `${deployment}/${container}`));
  return targets;
}

/** An image built elsewhere, by its digest, for a Deployment. */
export interface GivenImage extends Reference {
  deployment: string;
  /** Empty for the Deployment's only container. */
  container: string;
}

const imageForm = /^([a-z0-9][-a-z0-9.]*)(?:\/([a-z0-9][-a-z0-9]*))?=(\S+@sha256:[0-9a-f]{64})$/;

/**
 * Reads images that were built elsewhere, `deployment=reference@sha256:…` or `deployment/container=…`, one a line.
 *
 * @throws Error with what is wrong with the first line that is none
 */
export function parseImages(text: string): GivenImage[] {
  const images = linesOf(text).map((line, index): GivenImage => {
    const [, deployment, container = '', text = ''] = imageForm.exec(line) ?? [];
    const reference = parseReference(text);
    if (deployment === undefined || reference === undefined) {
      throw new Error(
        `entry ${index + 1} is not deployment=image@sha256:digest; a tag alone does not say which image it is`,
      );
    }
    return { deployment, container, ...reference };
  });
  requireOnce(images.map(({ deployment, container }) => `${deployment}/${container}`));
  return images;
}

/**
 * What is rolled out, and in which layout: the user's own list, the Deployments of the given images, or the preset of
 * the layout that the cluster shows. Containers are those of the live Deployments.
 *
 * @throws McprtError `rollout-layout`, `rollout-target`
 */
export function findTargets(
  deployments: readonly KubeObject[],
  wanted: { layout: KnownLayout | 'auto'; targets: readonly RolloutTarget[]; images: readonly GivenImage[] },
): { layout: Layout; targets: RolloutTarget[] } {
  const live = new Map(deployments.map((one) => [one.metadata.name, one]));
  const seen = layoutOf(runningNames(deployments));
  if (wanted.layout !== 'auto' && seen !== 'unknown' && seen !== wanted.layout) {
    throw new McprtError('rollout-layout', {
      what: `the cluster has the layout ${seen}, and the input says ${wanted.layout}`,
      why: `its Deployments are ${[...live.keys()].sort().join(', ')}`,
      next: 'leave `layout` at auto, or check that the kubeconfig is the one of the cluster that you mean',
    });
  }
  const layout = seen === 'unknown' ? (wanted.layout === 'auto' ? 'unknown' : wanted.layout) : seen;
  const chosen = chosenTargets(layout, wanted);
  const targets = chosen.map((target) => completed(target, live.get(target.deployment)));
  // One by its container's name and one as the only container are the same one: the last would win without a word.
  const twice = repeated(targets.map(({ deployment, container }) => `${deployment}/${container}`));
  if (twice !== undefined) {
    throw refused(twice, 'it is there twice, once with its container’s name and once without');
  }
  return { layout, targets };
}

function chosenTargets(
  layout: Layout,
  { targets, images }: { targets: readonly RolloutTarget[]; images: readonly GivenImage[] },
): readonly RolloutTarget[] {
  if (images.length > 0) {
    return images.map(({ deployment, container }) => ({ deployment, container, dockerfile: '' }));
  }
  if (targets.length > 0) return targets;
  if (layout !== 'unknown') return presets[layout];
  throw new McprtError('rollout-layout', {
    what: 'there is nothing to roll out to: the platform’s APIs are not there',
    why: 'mcp-sentinel has neither mcp-platform-api (split) nor mcp-sentinel-api (mono)',
    next: 'run action-setup first, or name your own Deployments in `targets`',
  });
}

/** The target with the container that the live Deployment has. */
function completed(target: RolloutTarget, deployment: KubeObject | undefined): RolloutTarget {
  const fail = (why: string): never => {
    throw refused(`${target.deployment}${target.container === '' ? '' : `/${target.container}`}`, why);
  };
  if (deployment === undefined) return fail('mcp-sentinel has no Deployment of that name');
  const standstill = standstillOf(deployment);
  // One that is scaled to 0 takes the image for its next pods.
  if (standstill !== undefined && at(deployment, 'spec', 'replicas') !== 0) {
    throw refused(target.deployment, `nothing would be rolled out: ${standstill.why}`, standstill.remedy);
  }
  const containers = containersOf(deployment);
  const names = containers.map((one) => one.name);
  const lasting = containers.filter(({ isInit }) => !isInit);
  if (target.container === '' && lasting.length === 1) return { ...target, container: lasting[0]?.name ?? '' };
  if (target.container === '') return fail(`it has several containers: ${names.join(', ')}`);
  return names.includes(target.container) ? target : fail(`its containers are ${names.join(', ')}`);
}

function refused(
  target: string,
  why: string,
  next = 'correct `targets` or `images`; `kubectl get deployments -n mcp-sentinel -o wide` shows names and containers',
): McprtError {
  return new McprtError('rollout-target', { what: `${target} cannot be rolled out`, why, next });
}

/** Deployments that should have pods: an upgrade from mono leaves the old API behind, scaled to 0. */
function runningNames(deployments: readonly KubeObject[]): string[] {
  return deployments.filter((one) => at(one, 'spec', 'replicas') !== 0).map(({ metadata }) => metadata.name);
}

/** A container of a workload's pods: one of those that run, or an init container, which a pod begins with. */
export interface TemplateContainer {
  name: string;
  image: string;
  isInit: boolean;
}

/** The containers of a workload's pods, those that run before its init containers. A name is there once. */
export function containersOf(workload: KubeObject): TemplateContainer[] {
  return [false, true].flatMap((isInit) =>
    recordsAt(workload, 'spec', 'template', 'spec', isInit ? 'initContainers' : 'containers').map((one) => ({
      name: textAt(one, 'name'),
      image: textAt(one, 'image'),
      isInit,
    })),
  );
}

/** The image of one container of a workload; empty when it has no such container. */
export function imageOf(workload: KubeObject | undefined, container: string): string {
  return workload === undefined ? '' : (containersOf(workload).find(({ name }) => name === container)?.image ?? '');
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

function requireOnce(names: readonly string[]): void {
  const twice = repeated(names);
  if (twice !== undefined) throw new Error(`${twice.replace(/\/$/, '')} is there twice`);
}
