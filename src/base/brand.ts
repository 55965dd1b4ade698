// Branded primitives: two ids of different kinds are both strings, and never interchangeable.

declare const brand: unique symbol;

/** `T` that carries the name `Name` in the type system only; at run time it is a plain `T`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type BackendId = Brand<string, 'BackendId'>;
export type RequestId = Brand<string, 'RequestId'>;
export type UserName = Brand<string, 'UserName'>;
export type GroupName = Brand<string, 'GroupName'>;
/** Public id of an API key: `key_` and 12 base32 characters. */
export type KeyId = Brand<string, 'KeyId'>;
