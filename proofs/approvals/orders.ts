export async function orders(): Promise<string[]> {
  return [];
}
