import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{a,b}from"./part-QIAZHMSE.js";import"./part-CZUA37I2.js";import"./part-OQYY7QGM.js";import"./part-CFO5YKPX.js";import"./part-ZORDU7GE.js";export{b as drillPostAction,a as folderState};
