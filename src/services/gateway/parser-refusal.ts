// What Node's HTTP parser could not read, in the words of the catalogue.

import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { GatewaySettings } from './messages.ts';

export function parserRefusal(
  error: NodeJS.ErrnoException,
  settings: GatewaySettings,
): { readonly cause: Refusal; readonly kind: string } {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW': {
      const words = `The request head is larger than ${settings.limits.headBytes} bytes.`;
      return { cause: refusal('headers_too_large', words), kind: 'head_too_large' };
    }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return {
        cause: refusal('payload_too_large', 'The chunk extensions are larger than 16 KiB.'),
        kind: 'chunk_extensions',
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT': {
      const words = `The request came too slowly: its head must be complete within ${settings.timeouts.headMs / 1000} s.`;
      return { cause: refusal('request_timeout', words), kind: 'slow_client' };
    }
    default:
      return {
        cause: refusal('malformed_http', 'The request is not well-formed HTTP/1.1.'),
        kind: 'malformed',
      };
  }
}
