// The cryptography that the core needs and does not have (ruling 16): a shell hands it in. All three
// answer with text, and the same input has the same answer in every year. Texts are well-formed
// Unicode; a lone surrogate counts as U+FFFD, as everywhere in UTF-8.

export interface CryptoPort {
  /** SHA-256 of the UTF-8 bytes as 64 lower-case hexadecimal digits. */
  sha256Hex(text: string): string;
  /** HMAC-SHA-256 of the UTF-8 bytes as 64 lower-case hexadecimal digits. */
  hmacSha256Hex(key: string, text: string): string;
  /** A slow salted hash, made to be expensive: tens of milliseconds. */
  passwordHash(password: string, salt: string): string;
}
