// A state is a shape first and a colour second, so that it reads without colour, in a log and by a
// screen reader (TENSORFORGE_ACCESSIBLE=1 prints a word instead).

export const shapeKinds = ['ok', 'active', 'waiting', 'attention', 'bad', 'off'] as const;
export type ShapeKind = (typeof shapeKinds)[number];

/** Glyph, 4-bit colour, word. */
const shapes: Readonly<Record<ShapeKind, readonly [string, number, string]>> = {
  ok: ['●', 32, 'ok'],
  active: ['◐', 34, 'active'],
  waiting: ['○', 90, 'waiting'],
  attention: ['▲', 33, 'attention'],
  bad: ['■', 31, 'bad'],
  off: ['◇', 90, 'off'],
};

export type ShapeStyle = { readonly color: boolean; readonly accessible: boolean };

export function shape(kind: ShapeKind, style: ShapeStyle): string {
  const [glyph, color, word] = shapes[kind];
  if (style.accessible) return `${word}:`;
  return style.color ? `\u001b[${color}m${glyph}\u001b[0m` : glyph;
}

export type BackendState = {
  readonly status: 'healthy' | 'unhealthy' | 'unknown' | 'draining';
  readonly status_reason: string | null;
  readonly approved: boolean;
};

const attentionReasons: readonly string[] = ['busy', 'warming', 'rate_limited'];

/** Which shape a backend has. */
export function backendShape(backend: BackendState): ShapeKind {
  if (!backend.approved) return 'waiting';
  if (attentionReasons.includes(backend.status_reason ?? '')) return 'attention';
  switch (backend.status) {
    case 'healthy':
      return 'ok';
    case 'unhealthy':
      return 'bad';
    case 'draining':
      return 'off';
    case 'unknown':
      return 'waiting';
  }
}
