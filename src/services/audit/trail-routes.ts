// Verification and export of the audit trail over the control API.

import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import { auditExportQuerySchema, auditVerifySchema } from '../../protocol/audit/schemas.ts';
import { auditReportSchema } from '../../protocol/control/trust-schemas.ts';
import type { AuditTrail } from './audit-trail.ts';

export const trailType = 'application/x-ndjson';

export function trailRoutes(trail: Pick<AuditTrail, 'verify' | 'export'>): ControlRoute[] {
  return [
    {
      service: 'audit',
      method: 'POST',
      path: '/api/v1/audit/verify',
      needs: needs('audit:read'),
      summary: 'Verifies every stream, seal, anchor and decision segment',
      body: auditVerifySchema,
      answer: auditReportSchema,
      handle: async (call) => json(await trail.verify(auditVerifySchema.parse(call.body))),
    },
    {
      service: 'audit',
      method: 'GET',
      path: '/api/v1/audit/export',
      needs: needs('audit:export'),
      summary: 'Control events as JSON lines, verified, with a signed manifest as the last line',
      query: auditExportQuerySchema,
      answerType: trailType,
      handle: async (call) => {
        const { from, to, stream, accept_reversals } = auditExportQuerySchema.parse(call.query);
        const acceptReversals = accept_reversals === 'true';
        const window = { from, to, stream, acceptReversals };
        const body = await trail.export(window, call.principal.text);
        return { status: 200, contentType: trailType, body };
      },
    },
  ];
}
