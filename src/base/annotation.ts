// What a client says of its request for whoever looks at it later: a version, a variant, a flag.

export type Annotation = { readonly name: string; readonly value: string };
