import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LabState } from '../../lab/driver/lab.js';
import type { Gate } from '../world/gate.js';
import type { ProofContext } from './proof.js';

const run = promisify(execFile);

/** A shell in a folder of its own, whose `kubectl` goes through a gate and keeps its own discovery cache. */
export async function kubectlShell(
  context: ProofContext,
  state: LabState,
  gate: Gate,
): Promise<(script: string) => Promise<void>> {
  const folder = join(context.folder, 'kubectl');
  await mkdir(folder);
  await writeFile(join(folder, 'kubeconfig'), gate.kubeconfig, { mode: 0o600 });
  await writeFile(join(folder, 'kubectl'), `#!/bin/sh\nexec ${state.program.lab} kubectl "$@"\n`, { mode: 0o755 });
  const env = { PATH: `${folder}:${context.env.PATH}`, HOME: folder, KUBECONFIG: join(folder, 'kubeconfig') };
  return async (script) => void (await run('sh', ['-eu', '-c', script], { cwd: folder, env }));
}
