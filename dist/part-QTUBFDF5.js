import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function r(n){return typeof n=="object"&&n!==null&&!Array.isArray(n)}function t(n){try{return JSON.parse(n)}catch{return}}export{r as a,t as b};
