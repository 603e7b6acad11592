import { LineCounter, parseAllDocuments } from 'yaml';
import { type Cluster, isNotFound } from '../cluster/cluster.js';
import { apiVersionOf, type Kind, type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError, messageOf } from '../errors.js';
import { isRecord } from '../json.js';
import type { PermissionChange } from './plan.js';

/** The kinds that a manifest with permissions may hold. Anything else is setup's to apply. */
export const permissionKinds: readonly Kind[] = [
  kinds.serviceAccount,
  kinds.role,
  kinds.roleBinding,
  kinds.clusterRole,
  kinds.clusterRoleBinding,
];

/**
 * Reads manifests with permissions.
 *
 * @throws McprtError `rollout-manifest`, naming file and line
 */
export function parseManifest(text: string, file: string): KubeObject[] {
  const counter = new LineCounter();
  return parseAllDocuments(text, { lineCounter: counter }).flatMap((document) => {
    const line = counter.linePos(document.range?.[0] ?? 0).line;
    const fail = (what: string, at: number = line): never => {
      throw new McprtError('rollout-manifest', {
        what: `${file}:${at}: ${what}`,
        why: `the input \`permissions\` applies manifests of ${permissionKinds.map(({ kind }) => kind).join(', ')}`,
        next: 'correct the manifest, or leave it out of `permissions`; everything else is applied by action-setup',
      });
    };
    const [error] = document.errors;
    if (error) return fail(error.message.split('\n')[0] ?? 'it is no YAML', error.linePos?.[0].line ?? line);
    const value = contentOf(document, fail);
    if (value === null) return [];
    if (!isRecord(value) || !isRecord(value.metadata) || typeof value.metadata.name !== 'string') {
      return fail('this is no Kubernetes object with a name');
    }
    const kind = kindOf(value);
    if (kind === undefined) return fail(`${String(value.kind)} is not a kind of permission`);
    if (kind.namespaced && typeof value.metadata.namespace !== 'string') {
      return fail(`${String(value.kind)} ${value.metadata.name} names no namespace`);
    }
    return [value as unknown as KubeObject];
  });
}

/** The value of a document; an alias of nothing, or one too many, is found only here. */
function contentOf(document: { toJS(): unknown }, fail: (what: string) => never): unknown {
  try {
    return document.toJS();
  } catch (error) {
    return fail(messageOf(error));
  }
}

/** What applying some objects would change, by a dry run of the server for each, all at once. */
export async function previewPermissions(
  cluster: Cluster,
  objects: readonly KubeObject[],
): Promise<PermissionChange[]> {
  return Promise.all(
    objects.map(async (wanted) => {
      const kind = requireKind(wanted);
      const [live, after] = await Promise.all([
        cluster.get<KubeObject>(kind, wanted.metadata),
        cluster.apply<KubeObject>(kind, wanted, { force: true, dryRun: true }).catch((error: unknown) => {
          // The namespace is not there yet; what applying it gives is the manifest itself.
          if (isNotFound(error)) return wanted;
          throw error;
        }),
      ]);
      return { wanted, live, after };
    }),
  );
}

/** The kind of an object with permissions. */
export function requireKind(object: { kind: string }): Kind {
  const kind = permissionKinds.find((one) => one.kind === object.kind);
  if (kind === undefined) throw new Error(`${object.kind} is not a kind of permission`);
  return kind;
}

function kindOf(value: Record<string, unknown>): Kind | undefined {
  return permissionKinds.find((one) => one.kind === value.kind && apiVersionOf(one) === value.apiVersion);
}
