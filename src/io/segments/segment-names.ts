// How the files of the decision log are called. In the folder of the log each stream has a folder
// of its own; the segment that is being written has a name of its own, so that the name alone says
// which files will never change again.
//
//   decisions/t0/00000001.tfd         sealed
//   decisions/t0/00000002.tfd.open    being written
//   decisions/t0/retention.json       up to where segments were removed on purpose
//   decisions/snapshots/DIGEST.json   what the decisions were made on
//   decisions/snapshots/marked-since  when uses of snapshots began to be marked there

export const retentionNoteName = 'retention.json';
export const snapshotFolderName = 'snapshots';
export const marksNoteName = 'marked-since';

/** Of a digest: SHA-256, lower-case hexadecimal. */
export function snapshotFileName(digest: string): string {
  return `${digest}.json`;
}

/** Is it a snapshot by its name, or the half of one that a crash left? */
export function isSnapshotFile(file: string): boolean {
  return /^[0-9a-f]{64}\.json(\..*\.tmp)?$/.test(file);
}

/** `00000001.tfd` */
export function sealedFileName(number: number): string {
  return `${String(number).padStart(8, '0')}.tfd`;
}

/** `00000001.tfd.open` */
export function openFileName(number: number): string {
  return `${sealedFileName(number)}.open`;
}

/** `t0/00000001.tfd`: how faults call it, sealed or not. */
export function segmentName(stream: string, number: number): string {
  return `${stream}/${sealedFileName(number)}`;
}

/** Undefined for a file that is no segment by its name. */
export function parseFileName(
  file: string,
): { readonly number: number; readonly isOpen: boolean } | undefined {
  const match = /^(\d{8,10})\.tfd(\.open)?$/.exec(file);
  const number = Number(match?.[1] ?? 0);
  if (number < 1 || number > 0xffff_ffff || sealedFileName(number) !== file.replace('.open', '')) {
    return undefined;
  }
  return { number, isOpen: match?.[2] !== undefined };
}
