// What `nvidia-smi` prints about the GPUs of a machine, asked with {@link nvidiaSmiArguments}: one
// line for each GPU, eight fields, no units. A field the driver cannot tell reads `[N/A]` or
// `[Not Supported]` (a MIG parent has no utilisation, for instance); lines that are no GPU, such as
// the driver's warnings, are skipped.

export type Gpu = {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly driverVersion: string | undefined;
  /** 2^20 bytes. */
  readonly memoryTotalMib: number | undefined;
  readonly memoryUsedMib: number | undefined;
  readonly utilizationPercent: number | undefined;
  readonly temperatureCelsius: number | undefined;
};

export const nvidiaSmiArguments: readonly string[] = [
  '--query-gpu=index,uuid,name,driver_version,memory.total,memory.used,utilization.gpu,temperature.gpu',
  '--format=csv,noheader,nounits',
];

const fieldsBesideName = 7;

function known(field: string | undefined): string | undefined {
  const text = field?.trim() ?? '';
  return text === '' || /^\[.*\]$|^N\/A$/i.test(text) ? undefined : text;
}

function figure(field: string | undefined): number | undefined {
  const text = known(field);
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function parseLine(line: string): Gpu | undefined {
  const fields = line.split(',');
  if (fields.length <= fieldsBesideName) return undefined;
  const index = figure(fields[0]);
  const uuid = known(fields[1]);
  if (index === undefined || !Number.isInteger(index) || uuid === undefined) return undefined;
  // A name may hold commas; every other field may not.
  const afterName = fields.length - 5;
  const [driver, total, used, utilization, temperature] = fields.slice(afterName);
  return {
    index,
    uuid,
    name: known(fields.slice(2, afterName).join(',')) ?? 'unknown GPU',
    driverVersion: known(driver),
    memoryTotalMib: figure(total),
    memoryUsedMib: figure(used),
    utilizationPercent: figure(utilization),
    temperatureCelsius: figure(temperature),
  };
}

/** The GPUs in the order they were printed; an empty list when there is none. */
export function parseNvidiaSmi(csvText: string): Gpu[] {
  return csvText.split('\n').flatMap((line) => parseLine(line) ?? []);
}
