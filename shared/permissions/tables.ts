import { grants, type Operation } from './operations.js';
import type { PermissionRule } from './rule.js';

/** Markdown of what each operation of an action may do, a table each. */
export function permissionTables(action: Operation['action']): string {
  return [...grants]
    .filter(([, operation]) => operation.action === action)
    .map(([name, { title, rules, note }]) =>
      [
        `**${title}**: [\`rbac/${name}.yaml\`](rbac/${name}.yaml)`,
        ...(note === undefined ? [] : [note]),
        ['| Resource | Verbs | Where | Why |', '| --- | --- | --- | --- |', ...rules.map(rowOf)].join('\n'),
      ].join('\n\n'),
    )
    .join('\n\n');
}

function rowOf({ on, subresource, verbs, namespace, names, because, optional, extensible }: PermissionRule): string {
  const resource = `${on.plural}${on.group === '' ? '' : `.${on.group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  const only =
    names === undefined
      ? ''
      : ` ${names.map((name) => `\`${name}\``).join(', ')}${extensible ? ' and those that `init --accounts` finds' : ''}`;
  const where = namespace === undefined ? 'the whole cluster' : `\`${namespace}\``;
  const why = `${because}${optional ? ' (optional)' : ''}`;
  return `| ${resource}${only} | ${verbs.map((verb) => `\`${verb}\``).join(', ')} | ${where} | ${why} |`;
}

/** The page with the tables between its `<!-- rbac ACTION -->` marks replaced. */
export function withPermissionTables(page: string): string {
  return page.replace(
    /(<!-- rbac (action-(?:backup|setup|rollout|smoke-test)) -->\n)[\s\S]*?(<!-- \/rbac action-[a-z-]+ -->)/g,
    (_, open: string, action: Operation['action'], close: string) => `${open}${permissionTables(action)}\n${close}`,
  );
}
