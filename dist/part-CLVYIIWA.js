import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function o(e,t){return`${e}/${t.replaceAll("~","~0").replaceAll("/","~1")}`}function i({metadata:e},t,a,r){let n=`/metadata/${t}`;return[...e[t]===void 0?[{op:"add",path:n,value:{}}]:[],{op:"add",path:o(n,a),value:r}]}export{o as a,i as b};
