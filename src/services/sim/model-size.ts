// How large simulated models and GPUs are, and how long a load takes.

import type { EngineProfileName } from '../../core/workload/engine/constants.ts';

/** Bytes a parameter: Q4_0 of llama.cpp keeps 32 weights in 18 bytes. */
const bytesPerParameter = 18 / 32;
/** Bytes a second from a page cache through PCIe into GPU memory; NVMe disks give about as much. */
const loadBytesPerSecond = 2e9;

const profileParameters: Readonly<Record<EngineProfileName, number>> = {
  'a100-7b': 6_738_415_616,
  'h100-7b': 6_738_415_616,
  'a100-70b': 68_976_648_192,
};

const profileVramGb: Readonly<Record<EngineProfileName, number>> = {
  'a100-7b': 80,
  'h100-7b': 80,
  'a100-70b': 320,
};

/** Bytes of the profile's own model in 4 bits. */
export function profileModelBytes(profile: EngineProfileName): number {
  return Math.round(profileParameters[profile] * bytesPerParameter);
}

/** GPU memory of the profile, in units of 10^9 bytes. */
export function profileVram(profile: EngineProfileName): number {
  return profileVramGb[profile];
}

/** From billions of parameters in the name (`llama3:8b`, `phi-1.5b`), else `bytesDefault`. */
export function modelBytesOf(name: string, bytesDefault: number): number {
  const billions = Number(
    /(?:^|[^a-z0-9.])(\d{1,4}(?:\.\d{1,3})?)b(?:$|[^a-z0-9])/i.exec(name)?.[1],
  );
  return billions > 0 ? Math.round(billions * 1e9 * bytesPerParameter) : bytesDefault;
}

/** Milliseconds that reading the weights takes. */
export function loadMsOfBytes(bytes: number): number {
  return Math.round((bytes / loadBytesPerSecond) * 1000);
}
