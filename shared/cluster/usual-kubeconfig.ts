import { join } from 'node:path';

/** The kubeconfig that kubectl would take. @param exists whether a file is there */
export async function usualKubeconfig(
  { KUBECONFIG, HOME }: NodeJS.ProcessEnv,
  exists: (path: string) => Promise<boolean>,
): Promise<string> {
  if (KUBECONFIG || !HOME) return KUBECONFIG ?? '';
  const path = join(HOME, '.kube', 'config');
  return (await exists(path)) ? path : '';
}
