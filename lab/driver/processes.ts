import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that this lab started. `started` tells it from a later process with the same id. */
export interface LabProcess {
  name: string;
  pid: number;
  started: string;
  log: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

/** What this process has started. */
const startedHere: LabProcess[] = [];

/** Starts a program that outlives this one, its output in a log file. */
export async function startProcess(
  name: string,
  command: string,
  args: string[],
  options: { log: string; env: NodeJS.ProcessEnv },
): Promise<LabProcess> {
  const log = await open(options.log, 'a');
  try {
    const child = spawn(command, args, { detached: true, stdio: ['ignore', log.fd, log.fd], env: options.env });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    child.unref();
    const made = { name, pid, started: startTime(pid) ?? '', log: options.log, command, args, env: options.env };
    startedHere.push(made);
    return made;
  } finally {
    await log.close();
  }
}

/** Whether the very process that was started still runs. */
export function isRunning(process: LabProcess): boolean {
  return startTime(process.pid) === process.started;
}

/** Sends a signal to processes that we started, and only those. */
export function signalProcesses(processes: LabProcess[], name: NodeJS.Signals): void {
  for (const one of processes.filter(isRunning)) {
    try {
      process.kill(one.pid, name);
    } catch {
      // it ended between the look and the signal
    }
  }
}

/** Ends processes that we started, and only those: first asked, then after `patience` ms forced. */
export async function stopProcesses(processes: LabProcess[], patience = 5000): Promise<void> {
  signalProcesses(processes, 'SIGTERM');
  for (let waited = 0; processes.some(isRunning) && waited < patience; waited += 50) {
    await sleep(50);
  }
  signalProcesses(processes, 'SIGKILL');
  while (processes.some(isRunning)) {
    await sleep(20);
  }
}

/** Ends everything that this process has started: for one that is told to end in the middle of it. */
export function stopStartedHere(): Promise<void> {
  return stopProcesses(startedHere);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return (await bound(0)) ?? 0;
}

/** Binds a port of the loopback address for a moment. @returns which; undefined when it is taken */
export async function bound(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch {
    return undefined;
  }
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : undefined;
}

/** Field 22 of /proc/PID/stat (proc(5)); undefined for no process, and for one that has ended but was not reaped. */
export function startTime(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
