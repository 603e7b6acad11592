// A program of its own, in which the command runs an entry of dist/: step.js ENTRY
// Whoever ends the command by force ends the step as well: it is cancelled then, and not cut off by its next line.

process.once('disconnect', () => process.kill(process.pid, 'SIGINT'));
process.channel?.unref();
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

await import(process.argv[2] ?? '');
