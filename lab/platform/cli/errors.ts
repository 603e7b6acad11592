/** A failure that ends the command with exit code 1 and one line, `Error: …`, on stderr. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
}

/** A wrong flag or argument: the usage block follows the line. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';
}
