import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What kubectl's own loader takes from a kubeconfig; the fields are those of lab/cluster/kubeconfig.go. */
export interface GoAnswer {
  readonly error?: string;
  readonly server: string;
  /** In base64. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly username: string;
  readonly password: string;
  readonly serverName: string;
  readonly insecure: boolean;
  /** Whether a program or an auth provider is asked. */
  readonly plugin: boolean;
  readonly proxy: string;
  readonly impersonate: {
    readonly UserName: string;
    readonly UID: string;
    readonly Groups: readonly string[] | null;
    readonly Extra: Readonly<Record<string, readonly string[]>> | null;
  };
}

/** kubectl's own loader of kubeconfigs. */
export interface GoLoader {
  load(one: { paths: readonly string[]; context: string }): Promise<GoAnswer>;
  stop(): void;
}

/** Starts it. @param lab path of the lab's program */
export function startGoLoader(lab: string): GoLoader {
  const child = spawn(lab, ['kubeconfigs'], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  return {
    async load(one) {
      child.stdin.write(`${JSON.stringify(one)}\n`);
      const line = await lines.next();
      if (line.done) throw new Error('kubectl’s loader ended without an answer');
      return JSON.parse(line.value) as GoAnswer;
    },
    stop: () => void child.stdin.end(),
  };
}
