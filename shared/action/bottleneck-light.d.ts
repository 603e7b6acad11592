// The build without Redis, which is the one that Octokit's plugins use; the package declares the whole one only.
declare module 'bottleneck/light.js' {
  export { default } from 'bottleneck';
}
