/** Read only where there is an archive. A bundle has no other name of a CommonJS package than its default. */
export const loadTar = async () => (await import('tar-stream')).default;
