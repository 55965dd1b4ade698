// The dashboard's cookie. With TLS it is `__Host-tf` (Secure, host-bound); on plain HTTP, which
// means loopback, browsers refuse that prefix and it is `tf` without Secure.

const maxAgeSeconds = 12 * 60 * 60;

function nameFor(isTls: boolean): string {
  return isTls ? '__Host-tf' : 'tf';
}

function attributes(isTls: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}`;
}

export const sessionCookie = {
  set(value: string, isTls: boolean): string {
    return `${nameFor(isTls)}=${value}; Max-Age=${maxAgeSeconds}; ${attributes(isTls)}`;
  },
  clear(isTls: boolean): string {
    return `${nameFor(isTls)}=; Max-Age=0; ${attributes(isTls)}`;
  },
  /** The value in a Cookie header; undefined when absent, empty or there twice. */
  read(header: string | undefined, isTls: boolean): string | undefined {
    if (header === undefined) return undefined;
    const values = header
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${nameFor(isTls)}=`))
      .map((pair) => pair.slice(nameFor(isTls).length + 1));
    return values.length === 1 && values[0] !== '' ? values[0] : undefined;
  },
} as const;
