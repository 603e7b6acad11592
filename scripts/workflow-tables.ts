import { parse } from 'yaml';
import * as z from 'zod';
import { environmentsOf, usualPrefix } from '../init/environments.js';

const callShape = z.looseObject({
  on: z.looseObject({
    workflow_call: z.looseObject({
      inputs: z
        .record(
          z.string(),
          z.looseObject({ description: z.string(), required: z.boolean().optional(), default: z.string().optional() }),
        )
        .optional(),
      outputs: z.record(z.string(), z.looseObject({ description: z.string() })).optional(),
      secrets: z.record(z.string(), z.looseObject({ description: z.string() })),
    }),
  }),
});

/** Markdown tables of what a workflow that can be called takes, gives, and needs of environments. */
export function workflowTables(text: string): string {
  const { inputs = {}, outputs = {}, secrets } = callShape.parse(parse(text)).on.workflow_call;
  const inputRows = Object.entries(inputs).map(([name, { description, required = false, default: value = '' }]) => {
    return `| \`${name}\` | ${cell(description)} | ${required ? 'required' : value === '' ? '–' : `\`${value}\``} |`;
  });
  const outputRows = Object.entries(outputs).map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`);
  const environments = environmentsOf([
    { text, secrets: Object.keys(secrets), installs: false, stores: [], prefix: usualPrefix },
  ]);
  const environmentRows = environments.map((one) => {
    const rules = one.hasReviewers ? 'required reviewers' : 'none: its jobs start by themselves';
    const names = (list: readonly string[]): string => list.map((name) => `\`${name}\``).join(', ') || '–';
    return `| \`${one.name}\` | ${names(one.secrets)} | ${names(one.variables)} | ${rules} |`;
  });
  return [
    table(['Environment', 'Secrets', 'Variables', 'Who lets jobs start'], environmentRows),
    ...(inputRows.length > 0 ? [table(['Input', 'What it is', 'Default'], inputRows)] : []),
    ...(outputRows.length > 0 ? [table(['Output', 'What it is'], outputRows)] : []),
  ].join('\n\n');
}

/** The page of the workflows with the tables between its `<!-- workflow NAME -->` marks replaced. */
export function withWorkflowTables(page: string, texts: ReadonlyMap<string, string>): string {
  return page.replace(
    /(<!-- workflow ([a-z]+) -->\n)[\s\S]*?(<!-- \/workflow -->)/g,
    (_, open: string, name: string, close: string) =>
      `${open}${workflowTables(texts.get(`${name}.yml`) ?? '')}\n${close}`,
  );
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|');
}

function table(head: readonly string[], rows: readonly string[]): string {
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows].join('\n');
}
