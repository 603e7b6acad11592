import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function r(i,t){let n=i.length;for(;n>0&&t.includes(i.charAt(n-1));)n-=1;return i.slice(0,n)}function s(i,t){let n=0;for(;n<i.length&&t.includes(i.charAt(n));)n+=1;return r(i.slice(n),t)}export{r as a,s as b};
