// How long a world lasts. Its streams offer no block after the end, so that what they offered before
// can be on its disk when the log is looked at: a segment that is just being sealed takes some ms.

/** Virtual ms. */
export const worldEndMs = 660_000;
