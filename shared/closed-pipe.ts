/** Lets whoever reads what this process writes stop reading: `| head` ends no command in the middle, nor with a stack trace. */
export function letReadersGo(...streams: NodeJS.WriteStream[]): void {
  for (const stream of streams) stream.on('error', () => undefined);
}
