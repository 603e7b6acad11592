import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{a}from"./part-X4QXNLKX.js";import"./part-ZORDU7GE.js";export default a();
