import { stringify } from 'yaml';

/** Who issues the identities of jobs on github.com. */
export const githubIssuer = 'https://token.actions.githubusercontent.com';

export interface AuthenticationOptions {
  /** Another one than github.com's, as a GitHub Enterprise Server has it: `https://HOST/_services/token`. */
  issuer: string;
  /** PEM of the CA of another issuer; empty where the control plane trusts it anyway. */
  issuerAuthority: string;
  /** For whom the identities must be. */
  audience: string;
  /** `OWNER/NAME` */
  repository: string;
  /** GitHub's number of it, which nobody else gets when it is renamed or deleted; empty where it is not known. */
  repositoryId: string;
  branch: string;
  environments: readonly { name: string; isForEveryBranch: boolean }[];
  /** The minor version of Kubernetes 1, which decides how the file is called. */
  minor: number;
}

/** From this minor of Kubernetes 1 on, an API server reads such a file. */
export const firstMinor = 30;
/** From this one on it is called v1. */
const firstStable = 34;

/**
 * The file by which an API server takes the identities of this repository's jobs, and no others: of this repository, in one
 * of the environments that have an account, on the default branch unless the environment is for all. An identity's name is
 * made of repository and environment, and RBAC is bound to that.
 */
export function authenticationConfiguration(options: AuthenticationOptions): string {
  const { issuer, issuerAuthority, audience, repository, repositoryId, branch, environments, minor } = options;
  const names = (isForEveryBranch: boolean): string[] =>
    environments.filter((one) => one.isForEveryBranch === isForEveryBranch).map(({ name }) => name.toLowerCase());
  const environment = 'claims.environment.lowerAscii()';
  const [open, closed] = [names(true), names(false)];
  // One expression: where a second repository comes, its own one is put beside it by `||`.
  const expression = [
    `claims.repository.lowerAscii() == ${quoted(repository.toLowerCase())}`,
    ...(repositoryId === '' ? [] : [`claims.repository_id == ${quoted(repositoryId)}`]),
    `${environment} in ${listOf([...open, ...closed])}`,
    open.length === 0
      ? `claims.ref == ${quoted(`refs/heads/${branch}`)}`
      : `(${environment} in ${listOf(open)} || claims.ref == ${quoted(`refs/heads/${branch}`)})`,
  ].join(' && ');
  const rules = [
    {
      expression: `(${expression})`,
      message: `only jobs of ${repository}, in an environment that has an account, on the branch ${branch} but where every branch may`,
    },
  ];
  return stringify(
    {
      apiVersion: `apiserver.config.k8s.io/${minor >= firstStable ? 'v1' : 'v1beta1'}`,
      kind: 'AuthenticationConfiguration',
      jwt: [
        {
          issuer: {
            url: issuer,
            audiences: [audience],
            ...(issuerAuthority === '' ? {} : { certificateAuthority: issuerAuthority }),
          },
          claimValidationRules: rules,
          claimMappings: {
            username: {
              expression: `'${userPrefix}' + claims.repository.lowerAscii() + ':environment:' + ${environment}`,
            },
            // Who it was stands in the API server's audit log.
            extra: [
              { key: 'mcprt.dev/run', valueExpression: 'claims.run_id' },
              { key: 'mcprt.dev/actor', valueExpression: 'claims.actor' },
            ],
          },
        },
      ],
    },
    { lineWidth: 0 },
  );
}

const userPrefix = 'mcprt:repo:';

/** The name by which an API server knows the jobs of a repository in an environment. GitHub tells no cases apart. */
export function userOf(repository: string, environment: string): string {
  return `${userPrefix}${repository.toLowerCase()}:environment:${environment.toLowerCase()}`;
}

/** A string of CEL. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function listOf(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(', ')}]`;
}

/** Whether a name is one of a repository's jobs. */
export function usersOf(repository: string): (name: string) => boolean {
  const prefix = `${userPrefix}${repository.toLowerCase()}:environment:`;
  return (name) => name.startsWith(prefix);
}

/** Whether a name is one of any repository's jobs. */
export function isIdentity(name: string): boolean {
  return name.startsWith(userPrefix);
}
