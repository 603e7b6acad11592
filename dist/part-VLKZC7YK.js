import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{a as r,b as i}from"./part-ZORDU7GE.js";var o=i((p,e)=>{e.exports=r("node:http")});export{o as a};
