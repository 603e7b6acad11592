// Draws the pictures of summaries that the docs show, from texts that proofs have kept (`--pictures`).
import { drawShown } from '../proofs/pictures/shown.js';

const count = await drawShown(process.env, (line) => void process.stderr.write(`${line}\n`));
process.stdout.write(`${count} pictures in docs/pictures\n`);
