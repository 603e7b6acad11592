import { Document, isMap, isSeq, type YAMLSeq } from 'yaml';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { accountPolicy } from './account-policy.js';
import { accountNamespace, type Operation, type OperationName } from './operations.js';
import { extended, type PermissionRule } from './rule.js';

interface Policy {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

const authorization = 'rbac.authorization.k8s.io';

export interface Subject {
  kind: 'ServiceAccount' | 'User' | 'Group';
  name: string;
  namespace?: string;
  apiGroup?: string;
}

export interface ManifestOptions {
  /** Names of Secrets that this cluster has, besides the platform's. */
  secrets?: readonly string[];
  /** Who is granted it in place of the operation's ServiceAccount, which is then not made. */
  subjects?: readonly Subject[];
}

/** The label of everything that grants an account something, by which it is found again. */
export const managedBy = { 'app.kubernetes.io/managed-by': 'mcprt' } as const;

/** The objects that grant an operation its rules: its account, and roles with their bindings. */
export function manifestOf(
  name: OperationName,
  { rules: own, accounts }: Operation,
  { secrets = [], subjects: others }: ManifestOptions = {},
): KubeObject[] {
  const rules = own.map((rule) => extended(rule, secrets));
  const role = `mcprt-${name}`;
  const isOption = !accounts.includes(role);
  const account = {
    kind: kinds.serviceAccount,
    metadata: { name: role, namespace: accountNamespace, labels: managedBy },
  };
  const subjects =
    others ?? accounts.map((one): Subject => ({ kind: 'ServiceAccount', name: one, namespace: accountNamespace }));
  const places = [...new Set(rules.map(({ namespace }) => namespace))].sort((a, b) => (a ?? '').localeCompare(b ?? ''));
  return [
    ...(isOption || others !== undefined ? [] : [objectOf(account.kind, { metadata: account.metadata })]),
    ...places.flatMap((namespace) => {
      const [roleKind, bindingKind] =
        namespace === undefined ? [kinds.clusterRole, kinds.clusterRoleBinding] : [kinds.role, kinds.roleBinding];
      const metadata = { name: role, ...(namespace === undefined ? {} : { namespace }), labels: managedBy };
      const here = rules.filter((rule) => rule.namespace === namespace);
      return [
        objectOf(roleKind, { metadata, rules: here.map(policyOf) }),
        objectOf(bindingKind, {
          metadata,
          roleRef: { apiGroup: authorization, kind: roleKind.kind, name: role },
          subjects,
        }),
      ];
    }),
    ...(name === 'restore' ? accountPolicy(managedBy) : []),
  ];
}

/** The manifest as text for `kubectl apply`, with the reason at each rule. */
export function manifestText(name: OperationName, operation: Operation): string {
  const head = [
    `${operation.action}: ${operation.title.replaceAll('`', '')}. Written by \`npm run docs\`; docs/permissions.md says how it is used.`,
    ...(operation.note === undefined ? [] : [operation.note]),
  ];
  const documents = manifestOf(name, operation).map((object) => {
    const document = new Document(object);
    const rules = document.get('rules');
    if (isSeq(rules))
      explain(
        rules,
        operation.rules.filter((rule) => rule.namespace === object.metadata.namespace),
      );
    return document.toString({ lineWidth: 120 });
  });
  return `${head.map((line) => `# ${line}\n`).join('')}---\n${documents.join('---\n')}`;
}

/** Puts the reason at each rule, and its words on one line. */
function explain(items: YAMLSeq, rules: readonly PermissionRule[]): void {
  items.items.forEach((item, index) => {
    const { because = '', optional } = rules[index] ?? {};
    if (!isMap(item)) return;
    item.commentBefore = ` ${because}${optional ? ' (optional: without it the operation continues)' : ''}`;
    for (const { value } of item.items) if (isSeq(value)) value.flow = true;
  });
}

function policyOf({ on, subresource, verbs, names }: PermissionRule): Policy {
  return {
    apiGroups: [on.group],
    resources: [subresource === undefined ? on.plural : `${on.plural}/${subresource}`],
    ...(names === undefined ? {} : { resourceNames: [...names] }),
    verbs: [...verbs],
  };
}
