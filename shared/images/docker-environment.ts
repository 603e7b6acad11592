/** What Docker's command line needs of a job's environment: no token and no input is among it. */
const variables =
  /^(?:PATH|HOME|USER|TMPDIR|XDG_\w+|DOCKER_\w+|BUILDX_\w+|BUILDKIT_\w+|SSL_CERT_\w+|(?:HTTPS?|NO)_PROXY|https?_proxy|no_proxy)$/;

/** The part of a job's environment that Docker's command line is run with. */
export function dockerEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return picked(env, (name) => variables.test(name));
}

/** The variables of an environment with certain names. */
export function picked(
  env: Readonly<Record<string, string | undefined>>,
  isWanted: (name: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && isWanted(entry[0])),
  );
}
