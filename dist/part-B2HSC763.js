import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function r(n,i){let t=n.length;for(;t>0&&i.includes(n.charAt(t-1));)t-=1;return n.slice(0,t)}function e(n){return n.replace(/^\[|\]$/g,"")}function s(n,i){let t=0;for(;t<n.length&&i.includes(n.charAt(t));)t+=1;return r(n.slice(t),i)}export{r as a,e as b,s as c};
