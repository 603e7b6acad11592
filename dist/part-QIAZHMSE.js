import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{a as r}from"./part-CZUA37I2.js";import{v as t}from"./part-OQYY7QGM.js";var e="folder";async function f(){let o=t(e);o!==""&&await r(o)}export{e as a,f as b};
