import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{v as r}from"./part-OQYY7QGM.js";import{rm as t}from"node:fs/promises";var e="folder";async function c(){let o=r(e);o!==""&&await t(o,{recursive:!0,force:!0})}export{e as a,c as b};
