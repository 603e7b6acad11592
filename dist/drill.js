if (Number.parseInt(process.versions.node, 10) < 22) {
  console.error(`This needs Node 22 or later, and this is ${process.version}. Without installing anything:\n  npx --yes node@24 ${process.argv.slice(1).join(' ')}`);
  process.exit(1);
}

const { drillCommand } = await import('./main-drill.js');

await drillCommand(process.argv.slice(2));
