// Group 10, security: documented samples, and forgeries in every part of what is signed. In monolithic
// mode signatures and paths are judged for every seventeenth index only, as documented.

import { equal, that } from '../expectations.ts';
import { cycled, type Group, turn } from './group.ts';

const signedEvery = 17;
const traversals = ['../../etc/secrets', '..\\..\\system\\secrets', '....//....//etc/secrets'];
const tokens = ['ab', 'token-1', 'a much longer token'];
const secrets = ['tok_9f3ab2', 'sk-0123456789', 'correct horse battery'];
const addresses = ['10.0.0.1', '192.168.1.7', '172.16.0.254'];

export const securityGroup: Group = {
  name: 'security',
  check({ security }, i, mode) {
    if (mode === 'grouped' || i % signedEvery === 0) {
      checkSignatures(security, i);
      checkPaths(security, i);
    }
    const token = cycled(tokens, i);
    that('a token is well formed', security.validate_token_format(token));
    equal('nothing is not', security.validate_token_format(''), false);
    equal('blanks are not', security.validate_token_format('   '), false);
    const strengths = [7, 8, 16, 17].map((length) =>
      security.password_strength('x'.repeat(length)),
    );
    equal('strength by length', strengths, ['weak', 'medium', 'medium', 'strong']);

    const secret = cycled(secrets, i);
    const length = 1 + (turn(i) % 4);
    const masked = security.mask_sensitive(secret);
    equal('all but the last four', masked, '*'.repeat(secret.length - 4) + secret.slice(-4));
    equal(
      'short values show nothing',
      security.mask_sensitive(secret.slice(0, length)),
      '*'.repeat(length),
    );
    const address = cycled(addresses, i);
    const key = security.rate_limit_key(address, `/v1/${i}`);
    equal('the key holds address and path', key, `ratelimit:${address}:/v1/${i}`);

    const [issued, ttl] = [1000 + i, 3600];
    equal('a session at its end', security.session_expired(issued, ttl, issued + ttl), false);
    that('a session past it', security.session_expired(issued, ttl, issued + ttl + 1));
    that('refresh after the window opens', security.token_needs_refresh(1000, 4400, 3600, 300));
    equal('not before', security.token_needs_refresh(1000, 4200, 3600, 300), false);
    equal('nor as it opens', security.token_needs_refresh(1000, 4300, 3600, 300), false);
    that('all permissions held', security.permission_check(['read'], ['read', 'write']));
    equal('one is missing', security.permission_check(['read', 'admin'], ['read']), false);
    that('an address of the list', security.ip_in_allowlist(address, [address]));
    equal('no prefix of one', security.ip_in_allowlist(`${address}0`, [address]), false);
    equal('nor the other way', security.ip_in_allowlist('10.0.0.1', ['10.0.0.10']), false);
    that('an origin of the list', security.is_allowed_origin('https://admin.tensorforge.internal'));
    equal('no suffix', security.is_allowed_origin(`https://evil${i}.tensorforge.internal`), false);
    equal('one header line', security.sanitize_header(`a\r\nb: ${i}\n`), `ab: ${i}`);
    const trail = [i, i, i + 1];
    that('a trail', security.audit_log_monotonic(trail));
    equal('a reversal', security.audit_log_monotonic([...trail, i]), false);

    const store = security.TokenStore();
    store.store(`t-${i}`, token, issued, ttl);
    that('valid until the last instant', store.validate(`t-${i}`, token, issued + ttl - 1));
    equal('expired at the next', store.validate(`t-${i}`, token, issued + ttl), false);
    equal('cleaned up at the same', store.cleanup(issued + ttl), 1);
  },
};

type Security = Parameters<Group['check']>[0]['security'];

function checkSignatures(security: Security, i: number): void {
  const payload = `deployment-${i}`;
  const signature = security.digest(payload);
  that('the digest is its own signature', security.verify_signature(payload, signature, signature));
  for (const short of [signature.slice(1), signature.slice(0, -1)]) {
    equal('shortened', security.verify_signature(payload, short, signature), false);
  }
  const other = security.digest(`${payload}.`);
  equal('of another payload', security.verify_signature(payload, other, other), false);

  const key = `key-${i % 10}`;
  const sealed = security.sign_manifest(payload, key);
  that('a manifest verifies', security.verify_manifest(payload, key, sealed));
  equal('not with another key', security.verify_manifest(payload, `${key}.`, sealed), false);
  equal('not for another payload', security.verify_manifest(`${payload}.`, key, sealed), false);
  equal('not shortened', security.verify_manifest(payload, key, sealed.slice(1)), false);
  that('equal texts', security.hmac_verify(sealed, sealed));
  equal('unequal texts', security.hmac_verify(sealed, signature), false);
}

function checkPaths(security: Security, i: number): void {
  const path = `${cycled(traversals, i)}/${i}`;
  const clean = security.sanitise_path(path);
  const segments = clean.split(/[/\\]/);
  that('no parent segment is left', !segments.includes('..'));
  that('relative', clean !== '' && !clean.startsWith('/') && !clean.startsWith('\\'));
  equal('clean stays clean', security.sanitise_path(clean), clean);
}
