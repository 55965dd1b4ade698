// The facts of a GPU that its memory pool is built on.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';

export type GpuDevice = {
  readonly deviceId: string;
  /** Bytes; 0 is a device without any memory to give. */
  readonly totalMemory: number;
  readonly memoryClockMhz: number;
  readonly computeCapability: { readonly major: number; readonly minor: number };
};

/** The device as a frozen copy, or every field at fault: id not empty, all numbers whole, >= 0. */
export function validateDevice(device: GpuDevice): Result<GpuDevice, Fault<'invalid_device'>> {
  const { deviceId, totalMemory, memoryClockMhz, computeCapability } = device;
  const { major, minor } = computeCapability;
  const violations: Violation[] = [];
  if (deviceId === '') violations.push({ field: 'deviceId', value: deviceId, bound: 'not empty' });
  const counts = { totalMemory, memoryClockMhz, major, minor };
  for (const [field, value] of Object.entries(counts)) {
    if (!isCount(value)) violations.push({ field, value, bound: 'whole, within 0..2^53 - 1' });
  }
  if (violations.length > 0) {
    return err(invalid('invalid_device', `device "${deviceId}"`, violations));
  }
  const capability = Object.freeze({ major, minor });
  return ok(
    Object.freeze({ deviceId, totalMemory, memoryClockMhz, computeCapability: capability }),
  );
}
