// Name resolution that judges every answer before a socket is opened, and hands the socket exactly
// the addresses that were judged. A name that changes its address between two look-ups (rebinding)
// therefore gains nothing: there is no second look-up.

import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { UnsafeAddress } from './probe-failure.ts';

export type ResolvedAddress = { readonly address: string; readonly family: number };

/** All addresses of a name, or an error with the code of the resolver. */
export type Resolve = (
  name: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly ResolvedAddress[]) => void,
) => void;

/** May this address, IPv4 or IPv6 without brackets, be contacted? The rule itself is the core's. */
export type MayContact = (address: string) => boolean;

export const resolveBySystem: Resolve = (name, done) => {
  systemLookup(name, { all: true, order: 'verbatim' }, (error, addresses) => {
    done(error, error === null ? addresses : []);
  });
};

/**
 * A `lookup` for `net.connect`: one refused answer refuses the name, since whoever mixes public
 * and forbidden addresses under one name wants the forbidden one.
 */
export function checkedLookup(resolve: Resolve, mayContact: MayContact): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const first = addresses[0];
      if (first === undefined) {
        const none: NodeJS.ErrnoException = new Error('the name has no address');
        none.code = 'ENODATA';
        return callback(none, '', 0);
      }
      if (!addresses.every(({ address }) => mayContact(address))) {
        return callback(new UnsafeAddress('the name leads to a forbidden address'), '', 0);
      }
      if (options.all === true) return callback(null, [...addresses]);
      return callback(null, first.address, first.family);
    });
  };
}
