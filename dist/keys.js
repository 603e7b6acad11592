import { keysCommand } from './index.js';

await keysCommand(process.argv.slice(2));
