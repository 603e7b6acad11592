import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
process.once("disconnect",()=>process.kill(process.pid,"SIGINT"));process.channel?.unref();for(let s of[process.stdout,process.stderr])s.on("error",()=>{});await import(process.argv[2]??"");
