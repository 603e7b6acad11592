import { parse } from 'yaml';
import * as z from 'zod';

const actionShape = z.looseObject({
  inputs: z.record(
    z.string(),
    z.looseObject({ description: z.string(), required: z.boolean(), default: z.string().optional() }),
  ),
  outputs: z.record(z.string(), z.looseObject({ description: z.string() })),
});

export type ActionFile = z.infer<typeof actionShape>;

/** The parts of an action.yml that its users see. */
export function readAction(text: string): ActionFile {
  return actionShape.parse(parse(text));
}

/** Markdown tables of an action's inputs and outputs. */
export function actionTables(text: string): { inputs: string; outputs: string } {
  const { inputs, outputs } = readAction(text);
  const cell = (value: string): string => value.replace(/\|/g, '\\|');
  const inputRows = Object.entries(inputs).map(
    ([name, { description, required, default: value }]) =>
      `| \`${name}\` | ${cell(description)} | ${required ? 'required' : value ? `\`${value}\`` : '–'} |`,
  );
  const outputRows = Object.entries(outputs).map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`);
  return {
    inputs: ['| Input | What it is | Default |', '| --- | --- | --- |', ...inputRows].join('\n'),
    outputs: ['| Output | What it is |', '| --- | --- |', ...outputRows].join('\n'),
  };
}

/** A README with the tables between its `<!-- inputs -->` and `<!-- outputs -->` marks replaced. */
export function withTables(readme: string, tables: Record<'inputs' | 'outputs', string>): string {
  return (['inputs', 'outputs'] as const).reduce(
    (text, mark) =>
      text.replace(
        new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*?(<!-- /${mark} -->)`),
        (_, open: string, close: string) => `${open}${tables[mark]}\n${close}`,
      ),
    readme,
  );
}
