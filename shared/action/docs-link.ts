/**
 * Where an entry of the troubleshooting page is, at the very version of the action that runs; a path inside the
 * repository where the runner does not say which that is (a local action).
 */
export function docsLink(code: string, env: NodeJS.ProcessEnv): string {
  const { GITHUB_ACTION_REPOSITORY: repository, GITHUB_ACTION_REF: ref, GITHUB_SERVER_URL: server } = env;
  const page = `docs/troubleshooting.md#${code}`;
  return repository && ref ? `${server || 'https://github.com'}/${repository}/blob/${ref}/${page}` : page;
}
