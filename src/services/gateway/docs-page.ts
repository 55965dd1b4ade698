// The control API for people: one page made from the OpenAPI document, without a script.

type Operation = {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly requestBody?: unknown;
  readonly responses?: Readonly<Record<string, unknown>>;
};

function escapeHtml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function schemaText(title: string, value: unknown): string {
  if (value === undefined) return '';
  const text = escapeHtml(JSON.stringify(value, null, 2));
  return `<details><summary>${title}</summary><pre>${text}</pre></details>`;
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const answers = Object.entries(operation.responses ?? {})
    .map(([status, schema]) => schemaText(`Answer ${status}`, schema))
    .join('');
  return `<section><h3><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h3>
<p>${escapeHtml(operation.summary ?? '')}</p>${schemaText('Request body', operation.requestBody)}${answers}</section>`;
}

/** `document` is an OpenAPI 3.1 document. */
export function docsPage(document: unknown): string {
  const paths = isRecord(document) && isRecord(document['paths']) ? document['paths'] : {};
  const byService = new Map<string, string[]>();
  for (const [path, item] of Object.entries(paths)) {
    if (!isRecord(item)) continue;
    for (const [method, operation] of Object.entries(item)) {
      if (!isRecord(operation)) continue;
      const described = operation as Operation;
      const service = described.tags?.[0] ?? 'other';
      const html = operationHtml(method, path, described);
      byService.set(service, [...(byService.get(service) ?? []), html]);
    }
  }
  const sections = [...byService].map(
    ([service, operations]) => `<h2>${escapeHtml(service)}</h2>${operations.join('')}`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>TensorForge control API</title></head>
<body><main><h1>TensorForge control API</h1>
<p>The same as <a href="/api/docs/openapi.json">OpenAPI 3.1</a>. Send an API key as <code>Authorization: Bearer tfk_…</code>.</p>
${sections.join('\n')}</main></body></html>
`;
}
