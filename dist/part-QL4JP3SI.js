import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{f as e}from"./part-VBHIYQAJ.js";function p(r,s){let{resolve:o,"dns-server":n,"ca-bundle":t}=r;return{overrides:o,dnsServer:n,caBundle:t,proxies:e(s)}}export{p as a};
