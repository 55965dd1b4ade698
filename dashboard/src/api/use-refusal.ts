// Why this session may not do something, in words for the control that it would have used.

import { useQuery } from '@tanstack/react-query';
import { meQuery } from './queries.ts';
import type { Permission } from './wire.ts';

/** Undefined when it may, or when nothing is known yet: the server decides in any case. */
export function useRefusal(permission: Permission): string | undefined {
  const { data: me } = useQuery(meQuery);
  if (me === undefined || me.permissions.includes(permission)) return undefined;
  return `Needs the permission ${permission}. An administrator grants it with a key that has it.`;
}
