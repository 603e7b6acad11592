// Prints what the workflows of examples/ cost a month in a private repository, as docs/costs.md has it.
import { costTable, readSchedules } from './cost-table.js';

process.stdout.write(`${costTable(await readSchedules())}\n`);
