import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { environmentsOf, usualPrefix, withPrefix } from '../init/environments.js';
import { root } from '../lab/driver/folders.js';
import { isRecord } from '../shared/json.js';
import { withWorkflowTables } from './workflow-tables.js';

/** A text with workflow steps in it: an example, or a snippet of a page. */
interface Text {
  where: string;
  text: string;
}

interface Job {
  uses?: string;
  with?: Record<string, unknown>;
  secrets?: Record<string, string>;
  permissions?: Record<string, string>;
  environment?: unknown;
  concurrency?: { group?: string; queue?: string };
  steps?: { uses?: string; with?: Record<string, unknown> }[];
  'cache-mode'?: string;
}

interface Workflow {
  on: { workflow_call?: Record<'inputs' | 'secrets', Record<string, unknown> | undefined> } & Record<string, unknown>;
  permissions?: unknown;
  jobs: Record<string, Job>;
}

interface Action {
  inputs: Record<string, { required?: boolean }>;
  outputs: Record<string, unknown>;
}

const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'];

async function snippets(): Promise<Text[]> {
  const entries = await readdir(root);
  const files = [
    ...pages,
    ...entries.filter((name) => name.startsWith('action-')).map((name) => join(name, 'README.md')),
    ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
  ];
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(root, file), 'utf8');
      return [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map(([, block = ''], index) => ({
        where: `${file}, snippet ${index + 1}`,
        text: block,
      }));
    }),
  );
  return found.flat();
}

async function workflowsIn(folder: string): Promise<Text[]> {
  const files = (await readdir(join(root, folder))).filter((name) => name.endsWith('.yml'));
  return Promise.all(
    files.map(async (file) => ({
      where: join(folder, file),
      text: await readFile(join(root, folder, file), 'utf8'),
    })),
  );
}

const [examples, written] = await Promise.all([workflowsIn('examples'), workflowsIn('.github/workflows')]);
/** With the names that environments and groups have in most repositories. */
const own = written.map(({ where, text }) => ({ where, text: withPrefix(text, usualPrefix) }));
const reusable = new Map(
  own.flatMap(({ where, text }): [string, Workflow][] => {
    const workflow = parse(text) as Workflow;
    return isRecord(workflow.on) && 'workflow_call' in workflow.on ? [[where, workflow]] : [];
  }),
);

const actions = new Map<string, Action>();
for (const name of (await readdir(root)).filter((entry) => entry.startsWith('action-'))) {
  actions.set(name, parse(await readFile(join(root, name, 'action.yml'), 'utf8')) as Action);
}

/** Everything in a document that has `uses`, wherever it is: a snippet may be a step, a list of them, or a workflow. */
function stepsIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(stepsIn);
  if (!isRecord(value)) return [];
  return [...(typeof value.uses === 'string' ? [value] : []), ...Object.values(value).flatMap(stepsIn)];
}

function actionOf(step: Record<string, unknown>): [string, Action] | undefined {
  const [, own, others] = /^(?:\$\/(action-[a-z-]+)|org\/mcprt\/(action-[a-z-]+)@v1)$/.exec(String(step.uses)) ?? [];
  const name = own ?? others ?? '';
  const action = actions.get(name);
  return action && [name, action];
}

/** What is wrong with the use of our actions in a text. */
function mistakesIn({ text }: Text): string[] {
  const steps = stepsIn(parse(text));
  const ofOurs = steps.flatMap((step): string[] => {
    const uses = String(step.uses);
    if (!/^(?:org\/mcprt|\$)\//.test(uses) || /\.github\/(?:workflows|actions)\//.test(uses)) return [];
    const found = actionOf(step);
    if (found === undefined) return [`there is no ${uses}`];
    const [name, { inputs }] = found;
    const given = isRecord(step.with) ? Object.keys(step.with) : [];
    const missing = Object.keys(inputs).filter((input) => inputs[input]?.required === true && !given.includes(input));
    return [
      ...given.filter((input) => inputs[input] === undefined).map((input) => `${name} has no input ${input}`),
      ...missing.map((input) => `${name} needs ${input}`),
    ];
  });
  const outputs = [...text.matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)].flatMap(([, id, output = '']) => {
    const some = steps.filter((one) => one.id === id).map(actionOf);
    return some.every((found) => found === undefined || found[1].outputs[output] !== undefined)
      ? []
      : [`${some[0]?.[0]} has no output ${output}`];
  });
  return [...ofOurs, ...outputs];
}

/** What is wrong with the calls of our workflows in a text, which a snippet may have as well. */
function wrongCallsIn({ text }: Text): string[] {
  return stepsIn(parse(text)).flatMap((job): string[] => {
    const [, file] = /^org\/mcprt\/(\.github\/workflows\/[^@]+)@v1$/.exec(String(job.uses)) ?? [];
    if (file === undefined) return [];
    const workflow = reusable.get(file);
    if (workflow === undefined) return [`there is no ${file}`];
    const { inputs = {}, secrets = {} } = workflow.on.workflow_call ?? {};
    const given = isRecord(job.with) ? Object.keys(job.with) : [];
    const handed = isRecord(job.secrets) ? job.secrets : {};
    const needs = Object.entries(inputs).filter(([, input]) => isRecord(input) && input.required === true);
    return [
      ...given.filter((name) => inputs[name] === undefined).map((name) => `${file} has no input ${name}`),
      ...needs.filter(([name]) => !given.includes(name)).map(([name]) => `${file} needs ${name}`),
      ...Object.entries(handed)
        .filter(([name, value]) => secrets[name] === undefined || value !== `\${{ secrets.${name} }}`)
        .map(([name]) => `${file}: secret ${name} is not handed on by its own name`),
    ];
  });
}

/** The most that any job of a workflow may. */
function unionOf(workflow: Workflow): Record<string, string> {
  const grants = Object.values(workflow.jobs).flatMap(({ permissions = {} }) => Object.entries(permissions));
  // `read` comes before `write`, so that the last one of a name is the most.
  return Object.fromEntries(grants.sort(([, a], [, b]) => a.localeCompare(b)));
}

const runId = `\${{ github.run_id }}`;

const all = [...examples, ...own];

describe('the snippets of the pages', () => {
  it('use the actions and workflows as they are', async () => {
    const found = await snippets();
    expect(found.length).toBeGreaterThan(8);
    expect(
      found.flatMap((one) => [...mistakesIn(one), ...wrongCallsIn(one)].map((mistake) => `${one.where}: ${mistake}`)),
    ).toEqual([]);
  });
});

describe('the workflows and their examples', () => {
  it('use the actions and workflows as they are', () => {
    expect(
      all.flatMap((one) => [...mistakesIn(one), ...wrongCallsIn(one)].map((mistake) => `${one.where}: ${mistake}`)),
    ).toEqual([]);
    const used = new Set(own.flatMap(({ text }) => stepsIn(parse(text)).flatMap((step) => actionOf(step)?.[0] ?? [])));
    expect([...used].sort()).toEqual([...actions.keys()].sort());
  });

  it('have an example for each workflow that can be called', () => {
    const called = examples.flatMap(({ text }) =>
      stepsIn(parse(text)).flatMap(
        ({ uses }) => /mcprt\/(\.github\/workflows\/[^@]+)@v1$/.exec(String(uses))?.[1] ?? [],
      ),
    );
    expect(called.sort()).toEqual([...reusable.keys()].sort());
  });

  it.each(all.map(({ where, text }): [string, string] => [where, text]))(
    '%s gives no job more than it says why',
    (where, text) => {
      const workflow = parse(text) as Workflow;
      expect(workflow.permissions).toEqual({});
      for (const line of text.split('\n').filter((one) => /^ {6}[a-z-]+: (?:read|write)\b/.test(one))) {
        expect(`${where}: ${line}`).toMatch(/# \S/);
      }
    },
  );

  it.each(all.map(({ where, text }): [string, string] => [where, text]))(
    '%s pins the actions of others to a commit',
    (_where, text) => {
      const others = stepsIn(parse(text))
        .map(({ uses }) => String(uses))
        .filter((uses) => !/^(?:org\/mcprt|\$)\//.test(uses));
      for (const uses of others) expect(uses).toMatch(/@[0-9a-f]{40}$/);
    },
  );

  it('let a caller give exactly what the jobs of the called workflow need', () => {
    for (const { text } of examples) {
      for (const { uses = '', permissions = {} } of Object.values((parse(text) as Workflow).jobs)) {
        const called = reusable.get(/(\.github\/workflows\/[^@]+)@v1$/.exec(uses)?.[1] ?? '');
        if (called !== undefined) expect([uses, permissions]).toEqual([uses, unionOf(called)]);
      }
    }
  });

  it.each([...reusable])(
    '%s names a cache mode for every job, and declares every secret that it reads',
    (file, workflow) => {
      for (const [name, job] of Object.entries(workflow.jobs)) {
        expect([name, job['cache-mode']]).toEqual([name, expect.stringMatching(/^(?:none|read|write)$/)]);
      }
      const text = own.find(({ where }) => where === file)?.text ?? '';
      const read = [...text.matchAll(/\bsecrets\.([A-Z0-9_]+)/g)].map(([, name = '']) => name);
      expect([...new Set(read)].sort()).toEqual(Object.keys(workflow.on.workflow_call?.secrets ?? {}).sort());
    },
  );

  it('have a page with their tables', async () => {
    const page = await readFile(join(root, 'docs', 'workflows.md'), 'utf8');
    const texts = new Map(own.map(({ where, text }) => [basename(where), text]));
    expect(withWorkflowTables(page, texts)).toBe(page);
    for (const file of reusable.keys()) expect(page).toContain(`<!-- workflow ${basename(file, '.yml')} -->\n| `);
  });

  // GitHub gives a job its group before it asks its reviewer: a later run would push out what waits, or wait itself.
  describe.each([...reusable])('%s', (file, workflow) => {
    const reviewedOnes = environmentsOf([
      {
        text: own.find(({ where }) => where === file)?.text ?? '',
        secrets: [],
        installs: false,
        stores: [],
        prefix: usualPrefix,
      },
    ]).filter(({ hasReviewers }) => hasReviewers);
    const jobs = Object.entries(workflow.jobs).map(([name, job]) => {
      const environment = isRecord(job.environment) ? job.environment.name : job.environment;
      const isReviewed = reviewedOnes.some((one) => one.name === environment);
      return { name, job, environment, isReviewed, group: job.concurrency?.group ?? '' };
    });

    it('shares no group of a job that waits for a reviewer with another run', () => {
      for (const { name, group } of jobs.filter(({ isReviewed }) => isReviewed)) {
        expect([name, group]).toEqual([name, expect.stringContaining(runId)]);
      }
    });

    it('pushes nobody out of a group that runs share', () => {
      for (const { name, job } of jobs.filter(({ group }) => group !== '' && !group.includes(runId))) {
        const isCleanup = name === 'cleanup';
        expect([name, job.concurrency?.queue ?? 'single']).toEqual([name, isCleanup ? 'single' : 'max']);
      }
    });

    it('looks for the reviewers of a job first of all', () => {
      for (const { name, job, environment } of jobs.filter(({ isReviewed }) => isReviewed)) {
        const [first] = job.steps ?? [];
        expect([name, first?.uses]).toEqual([name, '$/.github/actions/reviewed']);
        expect(String(first?.with?.environment).split('\n')).toContain(environment);
        expect([name, job.permissions?.actions]).toEqual([name, 'read']);
      }
    });
  });

  it('that wait for a reviewer are not pushed out as a whole run either', () => {
    for (const name of ['deploy', 'drill', 'reinstall', 'restore', 'preview']) {
      const example = parse(examples.find(({ where }) => where === `examples/${name}.yml`)?.text ?? '') as Job;
      expect([name, example.concurrency?.group]).toEqual([name, expect.stringContaining('github.run_id')]);
    }
  });

  it('never name the group of the run that calls them, which would wait for itself', () => {
    for (const { text, where } of examples) {
      const example = parse(text) as Job & Workflow;
      for (const { uses = '' } of Object.values(example.jobs)) {
        const called = reusable.get(/(\.github\/workflows\/[^@]+)@v1$/.exec(uses)?.[1] ?? '');
        const groups = Object.values(called?.jobs ?? {}).map(({ concurrency }) => concurrency?.group);
        expect([where, groups]).not.toEqual([where, expect.arrayContaining([example.concurrency?.group])]);
      }
    }
  });

  it('look for the reviewers of the install before the wipe', () => {
    const [first] = reusable.get('.github/workflows/reinstall.yml')?.jobs.wipe?.steps ?? [];
    expect(first?.with?.environment).toContain('mcprt-restore');
  });

  it('hand every plan on to what it binds', () => {
    const bound = [...reusable.values()].flatMap(({ jobs }) =>
      Object.entries(jobs).flatMap(([name, { steps = [] }]) =>
        steps.flatMap((step) => {
          const plan = step.with?.['expect-plan'];
          return plan === undefined ? [] : [`${name}: ${String(plan)}`];
        }),
      ),
    );
    const plan = `\${{ needs.plan.outputs.plan }}`;
    expect(bound.sort()).toEqual([`restore: ${plan}`, `rollout: ${plan}`, `setup: ${plan}`]);
  });

  it('run no script of a package where they may write', () => {
    const text = own.find(({ where }) => where === '.github/workflows/release.yml')?.text ?? '';
    const installs = [...text.matchAll(/npm (?:ci|install|i)\b.*/g)].map(([line]) => line);
    expect(installs).toEqual(['npm ci --ignore-scripts']);
  });
});
