// Where a service finds another one and its database (specification A.1).

/** Does the text *begin* with `http://` or `https://`? Merely to contain it is not enough. */
export function validateEndpoint(url: string): boolean {
  return url.startsWith('http://') || url.startsWith('https://');
}

/** Without credentials: those come from secrets, never from here. */
export function buildConnectionString(host: string, port: number, database: string): string {
  return `postgres://${host}:${port}/${database}`;
}
