import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from '../driver/built-once.js';
import { cacheFolder, root } from '../driver/folders.js';
import type { Progress } from '../driver/progress.js';

const run = promisify(execFile);
const module = 'github.com/nektos/act';
const version = 'v0.2.89';
const ours = join(root, 'lab', 'engine', 'environment.go');
const buildWithin = 900_000;

/** One place of act's source, which must be there exactly once, and what comes in its stead. */
interface Edit {
  file: string;
  old: string;
  by: string;
}

const isCalled = 'if rc.caller != nil {\n\t\tjob := rc.caller.runContext.Run.Job()\n\t\tsecrets := job.Secrets()';

/** Where act lets a job ask for its environment, and reads the keys of a workflow that it has no use for. */
const edits: readonly Edit[] = [
  {
    file: 'pkg/runner/run_context.go',
    old: '\t\tif res {\n\t\t\treturn executor(ctx)\n\t\t}',
    by: [
      '\t\tif res {',
      '\t\t\tif jobType == model.JobTypeDefault {',
      '\t\t\t\tif err := rc.enterEnvironment(ctx); err != nil {',
      '\t\t\t\t\tcommon.Logger(ctx).Errorf("%v", err)',
      '\t\t\t\t\trc.result("failure")',
      '\t\t\t\t\tif rc.caller != nil {',
      '\t\t\t\t\t\trc.caller.runContext.result("failure")',
      '\t\t\t\t\t}',
      '\t\t\t\t\treturn nil',
      '\t\t\t\t}',
      '\t\t\t\tdefer rc.leaveEnvironment(ctx)',
      '\t\t\t}',
      '\t\t\treturn executor(ctx)',
      '\t\t}',
    ].join('\n'),
  },
  {
    file: 'pkg/runner/expression.go',
    old: isCalled,
    by: `if secrets, ok := environmentSecrets.Load(rc); ok {\n\t\treturn secrets.(map[string]string)\n\t}\n\t${isCalled}`,
  },
  {
    file: 'pkg/model/workflow.go',
    old: '\tRawOn    yaml.Node         `yaml:"on"`\n',
    by: [
      '\tRawOn    yaml.Node         `yaml:"on"`',
      '\tRawPermissions yaml.Node `yaml:"permissions"`',
      '\tRawConcurrency yaml.Node `yaml:"concurrency"`',
      '',
    ].join('\n'),
  },
  {
    file: 'pkg/model/workflow.go',
    old: '\tRawSecrets     yaml.Node                 `yaml:"secrets"`\n',
    by: [
      '\tRawSecrets     yaml.Node                 `yaml:"secrets"`',
      '\tRawEnvironment yaml.Node `yaml:"environment"`',
      '\tRawPermissions yaml.Node `yaml:"permissions"`',
      '\tRawConcurrency yaml.Node `yaml:"concurrency"`',
      '\tCacheMode string `yaml:"cache-mode"`',
      '',
    ].join('\n'),
  },
  {
    file: 'pkg/schema/workflow_schema.json',
    old: '          "concurrency": "job-concurrency",\n          "outputs": "job-outputs",\n',
    by: '          "concurrency": "job-concurrency",\n          "cache-mode": "string",\n          "outputs": "job-outputs",\n',
  },
  {
    file: 'pkg/schema/workflow_schema.json',
    old: 'specify cancel-in-progress: true."\n          }\n',
    by: 'specify cancel-in-progress: true."\n          },\n          "queue": "string"\n',
  },
  {
    file: 'pkg/model/workflow.go',
    old: 'type WorkflowCall struct {\n',
    by: 'type WorkflowCall struct {\n\tSecrets map[string]yaml.Node `yaml:"secrets"`\n',
  },
];

/**
 * Builds the workflow engine, act with environments and per-job permissions (environment.go), or finds the build of
 * the same sources in the cache folder.
 *
 * @returns path of the program
 * @throws McprtError `lab-engine`
 */
export async function buildEngine(env: NodeJS.ProcessEnv, progress: Progress): Promise<string> {
  const added = await readFile(ours, 'utf8');
  const hash = createHash('sha256').update(version).update(JSON.stringify(edits)).update(added).digest('hex');
  const program = join(cacheFolder(env), 'tools', `engine-${hash.slice(0, 16)}`);
  await builtOnce(program, async (workshop, done) => {
    progress('building the workflow engine from Go modules: once, about a minute, then cached');
    try {
      await cp(await download(workshop, env), join(workshop, 'act'), { recursive: true, mode: 0 });
      await run('chmod', ['-R', 'u+w', join(workshop, 'act')]);
      for (const edit of edits) await apply(join(workshop, 'act'), edit);
      await cp(ours, join(workshop, 'act', 'pkg', 'runner', 'environment.go'));
      const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', done, '.'];
      await run('go', args, { cwd: join(workshop, 'act'), env, timeout: buildWithin });
    } catch (error) {
      throw error instanceof McprtError ? error : failed(messageOf(error), error);
    }
  });
  return program;
}

async function download(workshop: string, env: NodeJS.ProcessEnv): Promise<string> {
  await writeFile(join(workshop, 'go.mod'), 'module download\n\ngo 1.24\n');
  const args = ['mod', 'download', '-json', `${module}@${version}`];
  const { stdout } = await run('go', args, { cwd: workshop, env, timeout: buildWithin });
  return z.object({ Dir: z.string() }).parse(JSON.parse(stdout)).Dir;
}

async function apply(folder: string, { file, old, by }: Edit): Promise<void> {
  const text = await readFile(join(folder, file), 'utf8');
  const parts = text.split(old);
  const [before, after] = parts;
  if (parts.length !== 2 || before === undefined || after === undefined) {
    throw failed(`${file} has its place ${parts.length - 1} times: ${old.slice(0, 60)}`);
  }
  await writeFile(join(folder, file), `${before}${by}${after}`);
}

function failed(why: string, cause?: unknown): McprtError {
  return new McprtError('lab-engine', {
    what: 'the workflow engine cannot be built',
    why,
    next: `see whether Go is on the PATH and ${module} ${version} can be downloaded`,
    ...(cause === undefined ? {} : { cause }),
  });
}
