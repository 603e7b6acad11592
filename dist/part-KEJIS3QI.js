import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
var a=async()=>(await import("./part-I5XSLXEF.js")).default;export{a};
