import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { cacheFolder, root } from '../../lab/driver/folders.js';
import { parsedJson } from '../../shared/json.js';

/** What a drill says, as far as the proof looks at it. */
const resultShape = z.looseObject({
  schema: z.literal('mcprt.drill/1'),
  ok: z.boolean(),
  findings: z.array(z.looseObject({ code: z.string(), what: z.string(), why: z.string(), next: z.string() })),
});
const drilledShape = resultShape.extend({
  generation: z.number(),
  orders: z.number(),
  reissued: z.number(),
  seconds: z.looseObject({ total: z.number() }),
  certificates: z.array(
    z.looseObject({
      namespace: z.string(),
      name: z.string(),
      serial: z.string().optional(),
      serialAfter: z.string().optional(),
      outcome: z.string(),
      reason: z.string(),
      message: z.string(),
      explanation: z.string(),
      next: z.string(),
    }),
  ),
});

export type Drilled = z.infer<typeof drilledShape>;

export interface DrillRun {
  pid: number;
  code: number | null;
  /** Undefined where the drill ended before there was a lab to tell of. */
  result: Drilled | undefined;
  /** Codes of what it found or ended with. */
  codes: string[];
  /** Everything that it told: standard output and error, summary, outputs. */
  told: string;
  summary: string;
  outputs: string;
  /** Its folder for temporary files, and its home. */
  folder: string;
  seconds: number;
}

export interface DrillCall {
  directory: string;
  restoreKey: string;
  /** Further arguments, by which a backup is chosen. */
  choice?: string[];
  /** And those that every run of a proof has. */
  more: string[];
  /** Where this run gets a folder of its own. */
  folder: string;
  /** Called with each piece of standard error. */
  onProgress?: (text: string, pid: number) => void;
}

let runs = 0;

/** Runs what `npm run drill` starts, from the shipped bundle, as a step of a job would. */
export async function runDrill(call: DrillCall): Promise<DrillRun> {
  const { directory, restoreKey, choice = [], more, folder: parent, onProgress } = call;
  runs += 1;
  const folder = join(parent, `drill-${runs}`);
  const files = { GITHUB_STEP_SUMMARY: join(parent, `summary-${runs}`), GITHUB_OUTPUT: join(parent, `output-${runs}`) };
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.values(files).map((file) => writeFile(file, '')));
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [join(root, 'dist', 'drill.js'), '--directory', relative(folder, directory), '--json', ...more, ...choice],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        TMPDIR: folder,
        RUNNER_TEMP: folder,
        XDG_CACHE_HOME: dirname(cacheFolder(process.env)),
        GITHUB_ACTIONS: 'true',
        GITHUB_REPOSITORY: 'acme/platform',
        GITHUB_REPOSITORY_ID: '42',
        MCPRT_RESTORE_KEY: restoreKey,
        ...files,
      },
    },
  );
  const pid = child.pid ?? 0;
  let [printed, progress] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    progress += text;
    onProgress?.(text, pid);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [summary, outputs] = await Promise.all([
    readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
    readFile(files.GITHUB_OUTPUT, 'utf8'),
  ]);
  const parsed = resultShape.safeParse(parsedJson(printed));
  return {
    pid,
    code,
    result: drilledShape.safeParse(parsedJson(printed)).data,
    codes: parsed.data?.findings.map((one) => one.code) ?? [],
    told: [printed, progress, summary, outputs].join('\n'),
    summary,
    outputs,
    folder,
    seconds: (performance.now() - started) / 1000,
  };
}
