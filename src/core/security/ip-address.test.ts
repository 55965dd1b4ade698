import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { addressBlock, parseIp } from './ip-address.ts';
import { ipAllowed } from './ip-allowed.ts';

it('an address is admitted by an equal entry in any spelling, and by no prefix of its text', () => {
  assert.ok(ipAllowed('10.0.0.1', ['10.0.0.1']));
  assert.ok(!ipAllowed('10.0.0.10', ['10.0.0.1']));
  assert.ok(!ipAllowed('110.0.0.1', ['10.0.0.1']));
  assert.ok(ipAllowed('::ffff:10.0.0.1', ['10.0.0.1']));
  assert.ok(ipAllowed('10.0.0.1', ['::ffff:a00:1']));
  assert.ok(ipAllowed('2001:DB8::1', ['fe80::1', '2001:db8:0:0:0:0:0:1']));
  assert.ok(ipAllowed('fe80::1%eth0', ['fe80::1']));
  assert.ok(!ipAllowed('10.0.0.1', []));
});

const byte = fc.nat(255);
const fourBytes = fc.tuple(byte, byte, byte, byte);

holds(
  'only the equal address is admitted, whatever prefix or continuation of its text an entry is',
  fc.property(fourBytes, fourBytes, fc.nat(20), byte, (mine, other, cut, digit) => {
    const [address, entry] = [mine.join('.'), other.join('.')];
    const isEqual = mine.every((one, at) => one === other[at]);
    assert.equal(ipAllowed(address, [entry]), isEqual);
    assert.equal(ipAllowed(`::ffff:${address}`, [entry]), isEqual);
    const prefix = address.slice(0, cut);
    assert.equal(ipAllowed(address, [prefix]), prefix === address);
    assert.equal(ipAllowed(prefix, [address]), prefix === address);
    for (const longer of [`${address}${digit}`, `${address}.${digit}`, `${digit}${address}`]) {
      assert.ok(!ipAllowed(address, [longer]) && !ipAllowed(longer, [address]), longer);
    }
  }),
);

it('an entry may be a block, matched numerically', () => {
  assert.ok(ipAllowed('10.1.2.3', ['10.0.0.0/8']));
  assert.ok(!ipAllowed('11.1.2.3', ['10.0.0.0/8']));
  assert.ok(ipAllowed('10.0.0.130', ['10.0.0.128/25']));
  assert.ok(!ipAllowed('10.0.0.127', ['10.0.0.128/25']));
  assert.ok(ipAllowed('8.8.8.8', ['0.0.0.0/0']));
  assert.ok(ipAllowed('2001:db8:0:1::5', ['2001:db8:0:1::/64']));
  assert.ok(!ipAllowed('2001:db8:0:2::5', ['2001:db8:0:1::/64']));
  assert.ok(!ipAllowed('10.0.0.1', ['::/0']));
  assert.ok(!ipAllowed('::1', ['0.0.0.0/0']));
});

it('an entry or an address that is none admits nobody', () => {
  const bad = [
    '10.0.0.0/33',
    '10.0.0',
    '010.0.0.1',
    '10.0.0.1/',
    '10.0.0.1/08',
    '*',
    '',
    '1::2::3',
  ];
  for (const entry of bad) assert.ok(!ipAllowed('10.0.0.1', [entry]), entry);
  for (const address of ['', '1.2.3.4::', 'localhost', '10.0.0.256', '0x0a000001', '10.0.0.1 ']) {
    assert.ok(!ipAllowed(address, ['0.0.0.0/0', '::/0', address]), address);
  }
});

it('an address block is the IPv4 address or the IPv6 /64, and odd text stands for itself', () => {
  assert.equal(addressBlock('::ffff:192.168.1.200'), '192.168.1.200');
  assert.equal(addressBlock('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(addressBlock('unix'), 'unix');
});

it('what is an address is what node:net says', () => {
  const piece = fc.constantFrom(':', '::', '.', '0', '1', 'ff', '255', '256', '10.0.0.1', 'abcde');
  const built = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), built), (text) => {
      assert.equal(parseIp(text) !== undefined, isIPv4(text) || isIPv6(text), text);
    }),
    { seed: 20_260_107, numRuns: 5000 },
  );
});
