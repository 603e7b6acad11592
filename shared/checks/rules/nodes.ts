import { at, conditionOf, isTrue, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

/** Nodes: ready, schedulable, and of the processor that the images are built for (runbook: prerequisites, MCP_IMAGE_PLATFORM). */
export function checkNodes(facts: PlatformFacts): Finding[] {
  const { nodes, unseen } = facts;
  if (unseen.includes('nodes')) return [];
  const usable = nodes.filter((node) => isTrue(node, 'Ready') && !isCordoned(node));
  return [...unready(nodes), ...(usable.length === 0 ? [noneUsable(nodes)] : []), ...architecture(facts)];
}

function unready(nodes: readonly KubeObject[]): Finding[] {
  return nodes
    .filter((node) => !isTrue(node, 'Ready'))
    .map((node) =>
      finding('node-not-ready', {
        severity: nodes.every((one) => !isTrue(one, 'Ready')) ? 'error' : 'warning',
        subject: `Node ${node.metadata.name}`,
        cause: 'the node is not Ready, so its pods do not run',
        evidence: [
          `Ready=${conditionOf(node, 'Ready')?.status ?? 'unknown'}: ${conditionOf(node, 'Ready')?.message ?? ''}`,
        ],
        remedy: `look at k3s on it: \`systemctl status k3s\` (or k3s-agent); \`kubectl describe node ${node.metadata.name}\``,
      }),
    );
}

function noneUsable(nodes: readonly KubeObject[]): Finding {
  return finding('node-unschedulable', {
    subject: 'nodes',
    cause:
      nodes.length === 0 ? 'the cluster has no node' : 'no node is both Ready and schedulable, so no pod can start',
    evidence: nodes.map((node) => `${node.metadata.name}: ${isCordoned(node) ? 'scheduling disabled' : 'not Ready'}`),
    remedy: 'make at least one schedulable: `kubectl uncordon NODE`',
  });
}

function architecture({ nodes, imagePlatform }: PlatformFacts): Finding[] {
  const workers = nodes.filter((node) => !isCordoned(node));
  const architectures = [...new Set(workers.map(architectureOf))].filter((one) => one !== '').sort();
  const wanted = imagePlatform?.split('/')[1];
  const evidence = workers.map((node) => `${node.metadata.name}: ${architectureOf(node)}`);
  if (architectures.length > 1) {
    return [
      finding('node-architecture-mixed', {
        subject: 'nodes',
        cause: `the schedulable nodes have several processors (${architectures.join(', ')}), and the platform's images are built for one`,
        evidence,
        remedy: 'cordon the nodes of the other processor, or use a cluster with one',
      }),
    ];
  }
  const [only] = architectures;
  if (only === undefined || wanted === undefined || wanted === only) return [];
  return [
    finding('node-architecture', {
      subject: 'MCP_IMAGE_PLATFORM',
      cause: `images would be built for ${imagePlatform}, and the nodes are ${only}: they could not run them`,
      evidence,
      remedy: `set MCP_IMAGE_PLATFORM=linux/${only} in the profile`,
    }),
  ];
}

function isCordoned(node: KubeObject): boolean {
  return at(node, 'spec', 'unschedulable') === true;
}

function architectureOf(node: KubeObject): string {
  return textAt(node, 'status', 'nodeInfo', 'architecture') || (node.metadata.labels?.['kubernetes.io/arch'] ?? '');
}
