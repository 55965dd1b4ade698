// Every way in which a call can fail, in the words a person is shown: what was met, the code, and
// what to do. The server's own words come first; the rest is for when it could not speak.

export type FailureParts = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** What to do about it; undefined when the message already says so. */
  readonly remedy: string | undefined;
  /** Faults found, one line each; empty when the server named none. */
  readonly details: readonly string[];
};

export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly parts: FailureParts;

  constructor(parts: FailureParts) {
    super(parts.message);
    this.parts = parts;
  }
}

const remedies: ReadonlyMap<string, string> = new Map([
  ['permission_denied', 'Ask an administrator for a key that has this permission.'],
  ['backend_not_found', 'It was removed meanwhile. Go back to Fleet.'],
  ['key_not_found', 'It was removed meanwhile. Reload the list.'],
  ['not_found', 'Check the address, or go back to the list.'],
  ['cross_origin', 'Open the dashboard under the address that the server printed at its start.'],
  ['policy_invalid', 'Correct each fault below; nothing was run and nothing was changed.'],
  ['audit_broken', 'Verify the trail to see each place, and compare it with a backup.'],
  ['rate_limit_exceeded', 'Wait a little, then try again.'],
]);

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function detailLines(details: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(details) ? details : [];
  return items.slice(0, 20).map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
}

/** The failure that an answer with an error status describes. */
export function failureOfAnswer(status: number, body: unknown): ApiFailure {
  const known = isRecord(body) && typeof body['msg'] === 'string';
  if (!known) {
    return new ApiFailure({
      status,
      code: `http_${status}`,
      message: `The server answered ${status} without saying why.`,
      remedy: 'Run tensorforge doctor on the server, and look at its log.',
      details: [],
    });
  }
  const code = typeof body['code'] === 'string' ? body['code'] : `http_${status}`;
  return new ApiFailure({
    status,
    code,
    message: String(body['msg']),
    remedy: remedies.get(code),
    details: detailLines(body['details']),
  });
}

/** Nobody answered: the network, the proxy or the control plane is away. */
export function failureOfNetwork(origin: string): ApiFailure {
  return new ApiFailure({
    status: 0,
    code: 'unreachable',
    message: `TensorForge does not answer at ${origin}.`,
    remedy: 'See whether it runs: tensorforge status. The page tries again by itself.',
    details: [],
  });
}

/** The answer is not what this build of the dashboard understands. */
export function failureOfShape(path: string): ApiFailure {
  return new ApiFailure({
    status: 0,
    code: 'unexpected_answer',
    message: `The answer of ${path} has not the shape that this page was built for.`,
    remedy: 'Reload the page: the server may have been updated under it.',
    details: [],
  });
}

/** What to show for anything that was thrown. */
export function partsOf(error: unknown): FailureParts {
  if (error instanceof ApiFailure) return error.parts;
  return {
    status: 0,
    code: 'page_fault',
    message: error instanceof Error ? error.message : String(error),
    remedy: 'This is a fault of the dashboard. Reload the page.',
    details: [],
  };
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiFailure && error.parts.status === 401;
}

/** Text for “Copy details”. */
export function failureText(parts: FailureParts): string {
  const status = parts.status === 0 ? '' : ` (HTTP ${parts.status})`;
  return [`${parts.code}${status}: ${parts.message}`, parts.remedy, ...parts.details]
    .filter((line) => line !== undefined)
    .join('\n');
}
