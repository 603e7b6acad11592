import { type Answerer, askByLines } from '../../lab/driver/answerer.js';

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

/** Starts kubectl's own loader of kubeconfigs. It is asked for `paths` and a `context`. @param lab path of the lab's program */
export function startGoLoader(lab: string): Answerer<GoAnswer> {
  return askByLines('kubectl’s loader', lab, ['kubeconfigs']);
}
